//! Go's quoting of strings, as it stands in the API server's messages.
use std::fmt::Write;

/// `strconv.Quote`: double quotes, Go's escapes, printable Unicode as it is.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match named_escape(letter) {
            Some(escape) => quoted.push_str(escape),
            None if printable(letter) => quoted.push(letter),
            None => escape(letter, &mut quoted),
        }
    }
    quoted.push('"');
    quoted
}

/// The escape of quotes, backslashes and the control characters that have a letter.
pub(crate) fn named_escape(letter: char) -> Option<&'static str> {
    Some(match letter {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\x07' => "\\a",
        '\x08' => "\\b",
        '\x0c' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\x0b' => "\\v",
        _ => return None,
    })
}

/// `%q` of bytes: what is no UTF-8 becomes `\x..`.
pub(crate) fn quote_bytes(bytes: &[u8]) -> String {
    let mut quoted = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let text = quote(chunk.valid());
        quoted.push_str(&text[1..text.len() - 1]);
        for byte in chunk.invalid() {
            let _ = write!(quoted, "\\x{byte:02x}");
        }
    }
    quoted.push('"');
    quoted
}

/// Rust and Go agree on what prints, but for combining marks at the start of a string; hence the letter before.
fn printable(letter: char) -> bool {
    let mut buffer = [b'a', 0, 0, 0, 0];
    let length = letter.encode_utf8(&mut buffer[1..]).len();
    letter == '\''
        || std::str::from_utf8(&buffer[..=length])
            .is_ok_and(|pair| pair.escape_debug().count() == 2)
}

fn escape(letter: char, quoted: &mut String) {
    let code = u32::from(letter);
    // Writing to a string cannot fail.
    let _ = match code {
        0..0x20 | 0x7f => write!(quoted, "\\x{code:02x}"),
        0..0x10000 => write!(quoted, "\\u{code:04x}"),
        _ => write!(quoted, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        for (text, expected) in [
            ("a'b", r#""a'b""#),
            ("a\"\\\n\t\u{7}\u{b}", r#""a\"\\\n\t\a\v""#),
            ("\0\u{7f}\u{a0}\u{200b}", "\"\\x00\\x7f\\u00a0\\u200b\""),
            ("é日\u{301}😀", "\"é日\u{301}😀\""),
            ("\u{e0001}", "\"\\U000e0001\""),
        ] {
            assert_eq!(quote(text), expected, "{text:?}");
        }
        assert_eq!(quote_bytes(b"a\xff\xc3\xa9"), "\"a\\xffé\"");
    }
}

//! What literals mean: escapes, raw and triple-quoted strings, bytes, numbers.

/// The bytes of the literal `token`, quotes and prefixes included, without a leading `b`.
/// Errors: cel-go's words for a bad escape.
pub(crate) fn unquote(token: &str, bytes: bool) -> Result<Vec<u8>, &'static str> {
    let (raw, quoted) = match token.strip_prefix(['r', 'R']) {
        Some(quoted) => (true, quoted),
        None => (false, token),
    };
    let width = match quoted.get(..3) {
        Some("'''" | "\"\"\"") if quoted.len() >= 6 => 3,
        _ => 1,
    };
    let body = quoted.get(width..quoted.len() - width).ok_or("unable to unescape string")?;
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    if raw || !body.contains('\\') {
        return Ok(body.into_bytes());
    }
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body.as_str();
    while let Some(at) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        rest = escape(&rest[at + 1..], bytes, &mut out)?;
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Decodes one escape whose backslash is gone; what follows it is returned.
fn escape<'t>(text: &'t str, bytes: bool, out: &mut Vec<u8>) -> Result<&'t str, &'static str> {
    const BAD: &str = "unable to unescape string";
    let kind = *text
        .as_bytes()
        .first()
        .ok_or("unable to unescape string, found '\\' as last character")?;
    let plain = match kind {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' | b'\'' | b'"' | b'`' | b'?' => kind,
        _ => 0,
    };
    if plain != 0 {
        out.push(plain);
        return Ok(&text[1..]);
    }
    let (digits, radix, skip) = match kind {
        b'x' | b'X' => (2, 16, 1),
        b'u' if !bytes => (4, 16, 1),
        b'U' if !bytes => (8, 16, 1),
        b'0'..=b'3' => (3, 8, 0),
        _ => return Err(BAD),
    };
    let bad = if radix == 8 { "unable to unescape octal sequence in string" } else { BAD };
    let code = text.get(skip..skip + digits).ok_or(bad)?;
    if code.starts_with('+') {
        return Err(bad);
    }
    let code = u32::from_str_radix(code, radix).map_err(|_| bad)?;
    match (bytes, u8::try_from(code)) {
        (true, Ok(byte)) => out.push(byte),
        _ => {
            let symbol = char::from_u32(code).ok_or("invalid unicode code point")?;
            out.extend_from_slice(symbol.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    Ok(&text[skip + digits..])
}

/// `token` is decimal or `0x…`; `negative` when a sign stands before it.
pub(crate) fn int(token: &str, negative: bool) -> Option<i64> {
    let (digits, radix) = match token.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (token, 10),
    };
    let sign = if negative { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()
}

/// `token` ends in `u` or `U`.
pub(crate) fn uint(token: &str) -> Option<u64> {
    let digits = token.get(..token.len() - 1)?;
    match digits.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// `None`: over the range, as Go's `ParseFloat`.
pub(crate) fn double(token: &str, negative: bool) -> Option<f64> {
    let value: f64 = token.parse().ok()?;
    value.is_finite().then_some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(token: &str, bytes: bool, expected: Result<&[u8], &str>) {
        let told = unquote(token, bytes);
        assert_eq!(told.as_deref().map_err(|error| *error), expected, "{token}");
    }

    #[test]
    fn strings() {
        check(r"'a\n\x41\u00e9\101'", false, Ok("a\nAéA".as_bytes()));
        check(r"'\xff'", false, Ok("ÿ".as_bytes()));
        check(r"'\U0001F600'", false, Ok("😀".as_bytes()));
        check(r"r'\n'", false, Ok(b"\\n"));
        check("'''a\r\nb'''", false, Ok(b"a\nb"));
        check(r#""\"\`\?\'""#, false, Ok(b"\"`?'"));
        check(r"'\ud800'", false, Err("invalid unicode code point"));
        check(r"'\q'", false, Err("unable to unescape string"));
        check(r"'\08x'", false, Err("unable to unescape octal sequence in string"));
    }

    #[test]
    fn bytes() {
        check(r"'\xff\377\x00'", true, Ok(&[255, 255, 0]));
        check("'é'", true, Ok("é".as_bytes()));
        check(r"'\u00e9'", true, Err("unable to unescape string"));
    }

    #[test]
    fn numbers() {
        assert_eq!(int("9223372036854775808", true), Some(i64::MIN));
        assert_eq!(int("9223372036854775808", false), None);
        assert_eq!(int("0xff", true), Some(-255));
        assert_eq!(uint("0xFFu"), Some(255));
        assert_eq!(uint("18446744073709551616u"), None);
        assert_eq!(double("1e999", false), None);
        assert_eq!(double(".5", true), Some(-0.5));
    }
}

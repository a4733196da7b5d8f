//! Percent-encoding, by the part of a URL. Source: Go's net/url, encoding_table.go of 1.26.
use crate::library::go_text::{quote, quote_bytes};
use std::fmt::Write;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Path,
    Host,
    Zone,
    UserPassword,
    Query,
    Fragment,
}

impl Mode {
    /// Whether the byte stands for itself in this part.
    fn keeps(self, byte: u8) -> bool {
        let extra: &[u8] = match self {
            Mode::Path => b"$&+,/:;=@",
            Mode::Host | Mode::Zone => b"!\"$&'()*+,:;<=>[]",
            Mode::UserPassword => b"$&+,;=",
            Mode::Query => b"",
            Mode::Fragment => b"!$&()*+,/:;=?@",
        };
        byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || extra.contains(&byte)
    }
}

pub(super) fn escape(bytes: &[u8], mode: Mode) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if mode.keeps(*byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Error: Go's text, naming the escape or the character.
pub(super) fn unescape(text: &str, mode: Mode) -> Result<Vec<u8>, String> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'%' => {
                decoded.push(decode(&bytes[index..], mode)?);
                index += 3;
                continue;
            }
            b'+' if mode == Mode::Query => decoded.push(b' '),
            byte => {
                let host = matches!(mode, Mode::Host | Mode::Zone);
                if host && byte.is_ascii() && !mode.keeps(*byte) {
                    let letter = char::from(*byte).to_string();
                    return Err(format!("invalid character {} in host name", quote(&letter)));
                }
                decoded.push(*byte);
            }
        }
        index += 1;
    }
    Ok(decoded)
}

/// The byte that the escape at the start of `bytes` names, if the part may have it.
fn decode(bytes: &[u8], mode: Mode) -> Result<u8, String> {
    let escape = &bytes[..bytes.len().min(3)];
    let failure = || format!("invalid URL escape {}", quote_bytes(escape));
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let [_, high, low] = escape else { return Err(failure()) };
    let (Some(high), Some(low)) = (digit(high), digit(low)) else { return Err(failure()) };
    let byte = (high * 16 + low) as u8;
    let allowed = match mode {
        // RFC 6874 escapes only what is not ASCII in hosts, and the percent sign of a zone.
        Mode::Host => high >= 8 || byte == b'%',
        Mode::Zone => byte == b'%' || byte == b' ' || Mode::Host.keeps(byte),
        _ => true,
    };
    if allowed { Ok(byte) } else { Err(failure()) }
}

/// Whether a text is one of the encodings of its part, though not the one that [`escape`] writes.
pub(super) fn is_valid(text: &str, mode: Mode) -> bool {
    text.bytes().all(|byte| b"!$&'()*+,;=:@[]%".contains(&byte) || mode.keeps(byte))
}

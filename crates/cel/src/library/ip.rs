//! `ip(string)`: one address without a zone. Source: k8s.io/apiserver/pkg/cel/library/ip.go, Go's net/netip.
pub(super) mod functions;

use super::go_text::quote;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Error: the API server's text.
pub(crate) fn parse(text: &str) -> Result<IpAddr, String> {
    let (address, zone) = parse_with_zone(text).map_err(|error| {
        format!("IP Address {} parse error during conversion from string: {error}", quote(text))
    })?;
    if zone {
        return Err(format!("IP address {} with zone value is not allowed", quote(text)));
    }
    refuse_mapped(address, text)?;
    Ok(address)
}

/// Whether the text is the canonical one. Error: it is no address.
pub(crate) fn is_canonical(text: &str) -> Result<bool, String> {
    Ok(parse(text)?.to_string() == text)
}

/// 4 or 6.
pub(crate) fn family(address: &IpAddr) -> i64 {
    if address.is_ipv4() { 4 } else { 6 }
}

pub(crate) fn is_link_local_multicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[..3] == [224, 0, 0],
        IpAddr::V6(address) => address.segments()[0] & 0xff0f == 0xff02,
    }
}

pub(crate) fn is_link_local_unicast(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.segments()[0] & 0xffc0 == 0xfe80,
    }
}

/// Go's sense of the word: private addresses are global too.
pub(crate) fn is_global_unicast(address: &IpAddr) -> bool {
    let broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
    let special = address.is_unspecified() || address.is_loopback() || address.is_multicast();
    !broadcast && !special && !is_link_local_unicast(address)
}

pub(super) fn refuse_mapped(address: IpAddr, text: &str) -> Result<(), String> {
    match address {
        IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {} is not allowed", quote(text)))
        }
        _ => Ok(()),
    }
}

/// Go's `netip.ParseAddr`: the address, and whether it names a zone. Error: Go's text, for which this parser exists;
/// the standard library's only says that the syntax is invalid.
pub(crate) fn parse_with_zone(text: &str) -> Result<(IpAddr, bool), String> {
    match text.bytes().find(|byte| b".:%".contains(byte)) {
        Some(b'.') => {
            let octets = v4_fields(text, text)?;
            Ok((IpAddr::V4(Ipv4Addr::from(octets)), false))
        }
        Some(b':') => V6 { text, octets: [0; 16], filled: 0, ellipsis: None }.parse(),
        Some(_) => Err(failure(text, "missing IPv6 address", "")),
        None => Err(failure(text, "unable to parse IP", "")),
    }
}

fn failure(text: &str, what: &str, at: &str) -> String {
    let place = if at.is_empty() { String::new() } else { format!(" (at {})", quote(at)) };
    format!("ParseAddr({}): {what}{place}", quote(text))
}

/// Four decimal octets. `text` is what messages name, `fields` the part that is parsed.
fn v4_fields(text: &str, fields: &str) -> Result<[u8; 4], String> {
    let bytes = fields.as_bytes();
    let (mut octets, mut position, mut value, mut digits) = ([0; 4], 0, 0u32, 0);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(failure(text, "IPv4 field has octet with leading zero", ""));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(failure(text, "IPv4 field has value >255", ""));
                }
            }
            b'.' => {
                if index == 0 || index == bytes.len() - 1 || bytes[index - 1] == b'.' {
                    let what = "IPv4 field must have at least one digit";
                    return Err(failure(text, what, &fields[index..]));
                }
                if position == 3 {
                    return Err(failure(text, "IPv4 address too long", ""));
                }
                octets[position] = value as u8;
                (position, value, digits) = (position + 1, 0, 0);
            }
            _ => return Err(failure(text, "unexpected character", &fields[index..])),
        }
    }
    if position < 3 {
        return Err(failure(text, "IPv4 address too short", ""));
    }
    octets[3] = value as u8;
    Ok(octets)
}

/// An IPv6 address while it is read.
struct V6<'t> {
    text: &'t str,
    octets: [u8; 16],
    filled: usize,
    /// Where `::` stood, in octets.
    ellipsis: Option<usize>,
}

impl V6<'_> {
    fn parse(mut self) -> Result<(IpAddr, bool), String> {
        let (mut rest, zone) = match self.text.split_once('%') {
            Some((_, "")) => {
                return Err(failure(self.text, "zone must be a non-empty string", ""));
            }
            Some((address, _)) => (address, true),
            None => (self.text, false),
        };
        if let Some(after) = rest.strip_prefix("::") {
            self.ellipsis = Some(0);
            rest = after;
        }
        while !(rest.is_empty() && self.ellipsis == Some(self.filled)) && self.filled < 16 {
            match self.field(rest)? {
                Some(after) => rest = after,
                None => {
                    rest = "";
                    break;
                }
            }
        }
        if !rest.is_empty() {
            return Err(failure(self.text, "trailing garbage after address", rest));
        }
        Ok((IpAddr::V6(Ipv6Addr::from(self.expand()?)), zone))
    }

    /// Takes one group, or the dotted IPv4 at the end. None: the text ended with it.
    fn field<'r>(&mut self, rest: &'r str) -> Result<Option<&'r str>, String> {
        let text = self.text;
        let bytes = rest.as_bytes();
        let length = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if length > 4 {
            return Err(failure(text, "each group must have 4 or less digits", rest));
        }
        if length == 0 {
            let what = "each colon-separated field must have at least one digit";
            return Err(failure(text, what, rest));
        }
        if bytes.get(length) == Some(&b'.') {
            return self.embedded(rest).map(|()| None);
        }
        // At most four hexadecimal digits: they fit.
        let group = u16::from_str_radix(&rest[..length], 16).unwrap_or_default();
        self.octets[self.filled..self.filled + 2].copy_from_slice(&group.to_be_bytes());
        self.filled += 2;
        let rest = &rest[length..];
        if rest.is_empty() {
            return Ok(None);
        }
        let Some(after) = rest.strip_prefix(':') else {
            return Err(failure(text, "unexpected character, want colon", rest));
        };
        if after.is_empty() {
            return Err(failure(text, "colon must be followed by more characters", rest));
        }
        let Some(after_ellipsis) = after.strip_prefix(':') else {
            return Ok(Some(after));
        };
        if self.ellipsis.is_some() {
            return Err(failure(text, "multiple :: in address", after));
        }
        self.ellipsis = Some(self.filled);
        Ok(Some(after_ellipsis))
    }

    fn embedded(&mut self, rest: &str) -> Result<(), String> {
        if self.ellipsis.is_none() && self.filled != 12 {
            let what = "embedded IPv4 address must replace the final 2 fields of the address";
            return Err(failure(self.text, what, rest));
        }
        if self.filled + 4 > 16 {
            let what = "too many hex fields to fit an embedded IPv4 at the end of the address";
            return Err(failure(self.text, what, rest));
        }
        let octets = v4_fields(self.text, rest)?;
        self.octets[self.filled..self.filled + 4].copy_from_slice(&octets);
        self.filled += 4;
        Ok(())
    }

    /// Puts the zeros of `::` in their place.
    fn expand(&self) -> Result<[u8; 16], String> {
        match self.ellipsis {
            None if self.filled < 16 => Err(failure(self.text, "address string too short", "")),
            None => Ok(self.octets),
            Some(_) if self.filled == 16 => {
                let what = "the :: must expand to at least one field of zeros";
                Err(failure(self.text, what, ""))
            }
            Some(ellipsis) => {
                let mut octets = [0; 16];
                octets[..ellipsis].copy_from_slice(&self.octets[..ellipsis]);
                let tail = self.filled - ellipsis;
                octets[16 - tail..].copy_from_slice(&self.octets[ellipsis..self.filled]);
                Ok(octets)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_as_in_go() {
        for (text, expected) in [
            ("1.2.3.4", Ok("1.2.3.4")),
            ("2001:DB8::1", Ok("2001:db8::1")),
            ("::", Ok("::")),
            ("1::", Ok("1::")),
            ("::1:2", Ok("::1:2")),
            ("1:2:3:4:5:6:7:8", Ok("1:2:3:4:5:6:7:8")),
            ("64:ff9b::1.2.3.4", Ok("64:ff9b::102:304")),
            ("fe80::1%eth0", Err("IP address \"fe80::1%eth0\" with zone value is not allowed")),
            ("::ffff:1.2.3.4", Err("IPv4-mapped IPv6 address \"::ffff:1.2.3.4\" is not allowed")),
            ("1.2.3", Err("ParseAddr(\"1.2.3\"): IPv4 address too short")),
            ("1.2.3.04", Err("ParseAddr(\"1.2.3.04\"): IPv4 field has octet with leading zero")),
            ("1.2.3.256", Err("ParseAddr(\"1.2.3.256\"): IPv4 field has value >255")),
            ("1..2.3", Err("at least one digit (at \".2.3\")")),
            ("host", Err("ParseAddr(\"host\"): unable to parse IP")),
            ("%", Err("ParseAddr(\"%\"): missing IPv6 address")),
            ("1::2::3", Err("multiple :: in address (at \":3\")")),
            ("1:2:3:4:5:6::8", Ok("1:2:3:4:5:6:0:8")),
            ("1:2:3:4::5:6:7:8", Err("the :: must expand to at least one field of zeros")),
            ("12345::", Err("each group must have 4 or less digits (at \"12345::\")")),
            ("1:2", Err("address string too short")),
            ("1:2:3:4:5:6:7:8:9", Err("trailing garbage after address (at \"9\")")),
        ] {
            match (parse(text), expected) {
                (Ok(address), Ok(expected)) => assert_eq!(address.to_string(), expected),
                (Err(error), Err(expected)) => assert!(error.ends_with(expected), "{error}"),
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }

    #[test]
    fn classes() {
        let check = |text: &str, expected: [bool; 5]| {
            let address = parse(text).unwrap();
            let got = [
                address.is_unspecified(),
                address.is_loopback(),
                is_link_local_multicast(&address),
                is_link_local_unicast(&address),
                is_global_unicast(&address),
            ];
            assert_eq!(got, expected, "{text}");
        };
        check("0.0.0.0", [true, false, false, false, false]);
        check("::", [true, false, false, false, false]);
        check("127.9.9.9", [false, true, false, false, false]);
        check("::1", [false, true, false, false, false]);
        check("224.0.0.7", [false, false, true, false, false]);
        check("224.0.1.7", [false, false, false, false, false]);
        check("ff02::1", [false, false, true, false, false]);
        check("169.254.1.1", [false, false, false, true, false]);
        check("fe80::1", [false, false, false, true, false]);
        check("10.0.0.1", [false, false, false, false, true]);
        check("255.255.255.255", [false, false, false, false, false]);
        check("fd00::1", [false, false, false, false, true]);
    }

    #[test]
    fn canonical_text() {
        assert_eq!(is_canonical("2001:db8::1"), Ok(true));
        assert_eq!(is_canonical("2001:db8:0::1"), Ok(false));
        assert_eq!(is_canonical("2001:DB8::1"), Ok(false));
        assert!(is_canonical("x").is_err());
    }
}

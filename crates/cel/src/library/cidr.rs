//! `cidr(string)`: an address and a prefix length, host bits kept. Source: k8s.io/apiserver/pkg/cel/library/cidr.go.
pub(super) mod functions;

use super::go_text::quote;
use super::ip;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Two are equal only with equal host bits, as in Go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cidr {
    address: IpAddr,
    bits: u8,
}

/// What `cidr()` and the string overloads put before every parse error, which itself begins with the same words.
const PREFIX: &str = "network address parse error during conversion from string: ";

impl Cidr {
    /// Error: the API server's text.
    pub(crate) fn parse(text: &str) -> Result<Cidr, String> {
        let cidr = parse_prefix(text).map_err(|error| {
            format!("{PREFIX}{PREFIX}netip.ParsePrefix({}): {error}", quote(text))
        })?;
        ip::refuse_mapped(cidr.address, text).map_err(|error| format!("{PREFIX}{error}"))?;
        Ok(cidr)
    }

    pub(crate) fn ip(&self) -> IpAddr {
        self.address
    }

    pub(crate) fn prefix_length(&self) -> u8 {
        self.bits
    }

    pub(crate) fn masked(&self) -> Cidr {
        Cidr { address: mask(self.address, self.bits), bits: self.bits }
    }

    /// Never across families.
    pub(crate) fn contains_ip(&self, address: &IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && mask(self.address, self.bits) == mask(*address, self.bits)
    }

    pub(crate) fn contains_cidr(&self, other: &Cidr) -> bool {
        self.bits <= other.bits && self.contains_ip(&other.address)
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

/// As Go's `%v` prints it into messages.
impl fmt::Debug for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

fn mask(address: IpAddr, bits: u8) -> IpAddr {
    let bits = u32::from(bits);
    match address {
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4(Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    }
}

/// Go's `netip.ParsePrefix`. Error: its reason, without the text it was given.
fn parse_prefix(text: &str) -> Result<Cidr, String> {
    let (address, bits) = text.rsplit_once('/').ok_or("no '/'")?;
    let (address, zone) = ip::parse_with_zone(address)?;
    if zone {
        return Err("IPv6 zones cannot be present in a prefix".into());
    }
    let bad_bits = || format!("bad bits after slash: {}", quote(bits));
    let plain = bits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (bits.len() > 1 && bits.starts_with('0')) {
        return Err(bad_bits());
    }
    let bits: i64 = bits.parse().map_err(|_| bad_bits())?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    match u8::try_from(bits) {
        Ok(bits) if bits <= most => Ok(Cidr { address, bits }),
        _ => Err("prefix length out of range".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_read_as_in_go() {
        for (text, expected) in [
            ("10.1.2.3/8", Ok("10.1.2.3/8")),
            ("2001:DB8::/32", Ok("2001:db8::/32")),
            ("0.0.0.0/0", Ok("0.0.0.0/0")),
            ("10.0.0.0", Err("netip.ParsePrefix(\"10.0.0.0\"): no '/'")),
            ("10.0.0/8", Err("): ParseAddr(\"10.0.0\"): IPv4 address too short")),
            ("10.0.0.0/08", Err("): bad bits after slash: \"08\"")),
            ("10.0.0.0/", Err("): bad bits after slash: \"\"")),
            ("10.0.0.0/-1", Err("): bad bits after slash: \"-1\"")),
            ("10.0.0.0/33", Err("): prefix length out of range")),
            ("::/129", Err("): prefix length out of range")),
            ("fe80::1%a/64", Err("): IPv6 zones cannot be present in a prefix")),
            ("::ffff:1.2.3.4/96", Err("\"::ffff:1.2.3.4/96\" is not allowed")),
        ] {
            match (Cidr::parse(text), expected) {
                (Ok(cidr), Ok(expected)) => assert_eq!(cidr.to_string(), expected),
                (Err(error), Err(expected)) => {
                    assert!(error.starts_with(PREFIX) && error.ends_with(expected), "{error}");
                }
                (got, _) => panic!("{text}: {got:?}"),
            }
        }
    }

    #[test]
    fn containment() {
        let cidr = |text| Cidr::parse(text).unwrap();
        let check = |outer, inner, expected| {
            assert_eq!(cidr(outer).contains_cidr(&cidr(inner)), expected, "{outer} {inner}");
        };
        check("10.0.0.0/8", "10.1.0.0/16", true);
        check("10.0.0.0/8", "10.0.0.0/8", true);
        check("10.1.0.0/16", "10.0.0.0/8", false);
        check("10.0.0.0/8", "11.0.0.0/16", false);
        check("0.0.0.0/0", "::/0", false);
        check("::/0", "2001:db8::/32", true);
        assert!(cidr("10.9.9.9/8").contains_ip(&ip::parse("10.1.2.3").unwrap()));
        assert!(!cidr("10.9.9.9/8").contains_ip(&ip::parse("::1").unwrap()));
        assert_eq!(cidr("10.1.2.3/8").masked(), cidr("10.0.0.0/8"));
        assert_ne!(cidr("10.1.2.3/8"), cidr("10.0.0.0/8"));
    }
}

//! IP addresses and ranges: private, or everybody's.
use std::net::IpAddr;

/// Whether an address or CIDR range lies in networks that are not routed in the internet. `None`: it is neither.
/// Source: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291.
pub(crate) fn is_private(text: &str) -> Option<bool> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let within = |least: u8| length.is_none_or(|length| length >= least);
    Some(match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => {
            let [first, second, ..] = address.octets();
            match (first, second) {
                (10 | 127, _) => within(8),
                (100, 64..=127) => within(10),
                (172, 16..=31) => within(12),
                (192, 168) | (169, 254) => within(16),
                _ => false,
            }
        }
        IpAddr::V6(address) => {
            let first = address.segments()[0];
            address.is_loopback()
                || first & 0xfe00 == 0xfc00 && within(7)
                || first & 0xffc0 == 0xfe80 && within(10)
        }
    })
}

/// Whether a range holds every address of its family.
pub(crate) fn is_everybody(cidr: &str) -> bool {
    cidr.split_once('/').is_some_and(|(address, length)| {
        length.parse::<u8>() == Ok(0) && address.parse::<IpAddr>().is_ok()
    })
}

#[test]
fn addresses() {
    for (text, expected) in [
        ("10.0.0.1", Some(true)),
        ("10.0.0.0/7", Some(false)),
        ("172.31.0.0/16", Some(true)),
        ("172.32.0.1", Some(false)),
        ("100.64.0.0/10", Some(true)),
        ("203.0.113.7", Some(false)),
        ("fd00::1", Some(true)),
        ("2001:db8::1", Some(false)),
        ("fc00::/7", Some(true)),
        ("lb.example", None),
    ] {
        assert_eq!(is_private(text), expected, "{text}");
    }
    assert!(is_everybody("0.0.0.0/0") && is_everybody("::/0") && !is_everybody("0.0.0.0/1"));
}

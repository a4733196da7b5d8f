//! Who a request is from where proxies stand in between: the address that the last trusted one saw.
use http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// What proxies of all makes set. Each appends the address it was asked from.
const FORWARDED_FOR: &str = "x-forwarded-for";

pub(super) fn is_trusted(trusted: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// The client of a request that `peer` sent. Entries left of the first untrusted one are that client's own claims; an
/// entry that is no address ends what is known.
pub(super) fn client(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    let lines = headers.get_all(FORWARDED_FOR).iter().rev();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    for hop in lines.flat_map(|line| line.rsplit(',')) {
        if !is_trusted(trusted, client) {
            break;
        }
        let Some(address) = address(hop.trim()) else { break };
        client = address;
    }
    client
}

/// An address, some proxies add a port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().ok().map(|address: SocketAddr| address.ip());
    text.parse().ok().or_else(with_port)
}

#[test]
fn only_trusted_proxies_say_who_asks() {
    let trusted: Vec<IpNet> =
        ["10.0.0.0/8", "2001:db8::/32"].map(|net| net.parse().unwrap()).into();
    let check = |peer: &str, lines: &[&str], expected: &str| {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let client = client(&headers, peer.parse().unwrap(), &trusted);
        assert_eq!(client, expected.parse::<IpAddr>().unwrap(), "{peer} {lines:?}");
    };
    check("10.0.0.1", &["192.0.2.7"], "192.0.2.7");
    check("::ffff:10.0.0.1", &["192.0.2.7"], "192.0.2.7");
    check("10.0.0.1", &[], "10.0.0.1");
    check("192.0.2.9", &["192.0.2.7"], "192.0.2.9");
    // What the client wrote itself stands left of what the proxy saw.
    check("10.0.0.1", &["198.51.100.1, 192.0.2.7"], "192.0.2.7");
    check("10.0.0.1", &["198.51.100.1", "192.0.2.7, 10.0.0.2"], "192.0.2.7");
    check("10.0.0.1", &["10.0.0.3,10.0.0.2"], "10.0.0.3");
    check("10.0.0.1", &["192.0.2.7:4711"], "192.0.2.7");
    check("2001:db8::1", &["[2001:db9::7]:4711"], "2001:db9::7");
    check("10.0.0.1", &["192.0.2.7, unknown"], "10.0.0.1");
}

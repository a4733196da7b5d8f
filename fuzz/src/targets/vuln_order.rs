//! Version orders on up to three lines: antisymmetric, and where the scheme is an order, transitive and the same by key
//! as by comparison.
use super::texts;
use crate::Target;
use seawall_vuln::Scheme;
use std::cmp::Ordering;

pub(crate) const TARGET: Target = Target { name: "vuln-order", run, seeds, rounds: 2_000 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or("1.0");
    let (a, b, c) = (line(), line(), line());
    for scheme in Scheme::ALL {
        scheme.compare_line(bytes);
        let itself = scheme.compare(a, a);
        assert_eq!(scheme.key(a).map(|_| Ordering::Equal), itself, "{scheme}: {a:?}");
        let (Some(ab), Some(bc), Some(ac)) =
            (scheme.compare(a, b), scheme.compare(b, c), scheme.compare(a, c))
        else {
            continue;
        };
        assert_eq!(scheme.compare(b, a), Some(ab.reverse()), "{scheme}: {a:?} {b:?}");
        if !scheme.is_order() {
            continue;
        }
        assert_eq!(scheme.key(a).cmp(&scheme.key(b)), ab, "{scheme}: {a:?} {b:?}");
        if ab == bc || bc.is_eq() {
            assert_eq!(ac, ab, "{scheme}: {a:?} {b:?} {c:?}");
        }
        if ab.is_eq() {
            assert_eq!(ac, bc, "{scheme}: {a:?} {b:?} {c:?}");
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "1:2.36-9+deb12u4\n1:2.36-9+deb12u5~bpo1\n2.36",
        "1.0~rc1-1\n1.0~\n1.0-0",
        "1!2.0.post1.dev3+local.7\n2.0rc1\n2.0a",
        "1.0-dog\n0.dev0\n00000000000000000000000000001.0.0",
        "v1.2.3-rc.1+incompatible\n1.2.3-rc.10\n0.0.0-20220906165146-f3363e06e74c",
        "1.0.0.0.0-alpha\n1\n1.19.0-0",
        "1.2.3a_rc1_p2~0af-r3\n0..1..0r1\n.1_blah",
        "1:2.0~rc1^git1-1.el9\n01:2.0_~\nx^:1-",
        "1.2.3-a.10+1.b\n1.2.3-A+\n1.0.0.1+9",
        "1.0.0.RC1-SNAPSHOT\n1-ga-1\n1_x.Final-sp",
        "1.0.a.0.b2-1\n1.a0.0.1\n1.A.",
        "v1.0-dev#.RC1\n1.2.3.#.1\n1.0+pl_p-",
        "0.01-3\n1..2-\n.",
    ])
}

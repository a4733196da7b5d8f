//! Every line of the shared tables holds, and reversed; keys order as versions do.
use proptest::prelude::*;
use seawall_vuln::Scheme;
use seawall_vuln::order::symbol;
use std::cmp::Ordering;
use std::path::Path;

const TABLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/version-order");

/// Both directions, directly and by key.
#[track_caller]
fn check(scheme: Scheme, a: &str, expected: &str, b: &str) {
    let order = scheme.compare(a, b).map(symbol);
    assert_eq!(order, Some(expected), "{scheme}: {a} {expected} {b}");
    let reversed = scheme.compare(b, a).map(Ordering::reverse).map(symbol);
    assert_eq!(reversed, Some(expected), "{scheme}, reversed: {b} against {a}");
    let by_key = scheme.key(a).zip(scheme.key(b)).map(|(a, b)| symbol(a.cmp(&b)));
    assert_eq!(by_key, Some(expected), "{scheme}, by key: {a} {expected} {b}");
}

#[test]
fn every_line_of_the_upstream_tables_holds() {
    for scheme in Scheme::ALL {
        for suffix in ["versions", "versions-generated"] {
            let path = Path::new(TABLES).join(format!("{scheme}-{suffix}.txt"));
            let Ok(table) = std::fs::read_to_string(&path) else {
                println!("skipped: no {}", path.display());
                continue;
            };
            let lines =
                table.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//"));
            for line in lines {
                let [a, expected, b] = line.split(' ').collect::<Vec<_>>()[..] else {
                    panic!("{}: not three words: {line}", path.display())
                };
                check(scheme, a, expected, b);
            }
        }
    }
}

#[test]
fn debian_follows_the_manual() {
    let check = |a, order, b| check(Scheme::Debian, a, order, b);
    check("1.0~rc1", "<", "1.0");
    check("1.0~~", "<", "1.0~");
    check("1.0~~a", "<", "1.0~");
    check("1.0a", ">", "1.0");
    check("1.0+b1", ">", "1.0a");
    check("1:0.1", ">", "9.9");
    check("00:1", "=", "1");
    check("1.0", "=", "1.0-0");
    check("1.0-", "=", "1.0");
    check("1.0-1-1", ">", "1.0-1");
    check("1.", "=", "1.0");
    check("0", "=", "a0".trim_start_matches('a'));
    check("~", "<", "0");
    check("1.0-1~bpo", "<", "1.0-1");
    check("1.2.é", ">", "1.2.z");
    check("18446744073709551617", ">", "18446744073709551616");
}

#[test]
fn pypi_follows_pep_440() {
    let ascending = [
        "unpublished",
        "1.dev0",
        "1.0.dev456",
        "1.0a1",
        "1.0a2.dev456",
        "1.0a12.dev456",
        "1.0a12",
        "1.0b1.dev456",
        "1.0b2",
        "1.0b2.post345.dev456",
        "1.0b2.post345",
        "1.0rc1.dev456",
        "1.0rc1",
        "1.0",
        "1.0+abc.5",
        "1.0+abc.7",
        "1.0+5",
        "1.0.post456.dev34",
        "1.0.post456",
        "1.0.15",
        "1.1.dev1",
        "1!0.1",
    ];
    for (at, a) in ascending.iter().enumerate() {
        for b in &ascending[at + 1..] {
            check(Scheme::PyPI, a, "<", b);
        }
    }
    let check = |a, order, b| check(Scheme::PyPI, a, order, b);
    for (a, b) in [
        ("1.0", "1"),
        ("1.1.RC1", "1.1rc1"),
        ("V1.0", "1.0"),
        ("1.0-1", "1.0.post1"),
        ("1.0-r4", "1.0.post4"),
        ("1.0alpha", "1.0a0"),
        ("1.0preview2", "1.0c2"),
        ("1.0_beta-3", "1.0b3"),
        ("1.0.post", "1.0.post0"),
        ("1.0+Ubuntu-1", "1.0+ubuntu.1"),
        ("1.0a.", "1.0a0"),
        ("0!1", "1"),
        ("01.02", "1.2"),
    ] {
        check(a, "=", b);
    }
    check("1.0-dog", "<", "0.dev0");
    check("dog-rc", "<", "dog-x");
}

#[test]
fn semver_follows_item_11() {
    let ascending = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ];
    for (at, a) in ascending.iter().enumerate() {
        for b in &ascending[at + 1..] {
            check(Scheme::SemVer, a, "<", b);
        }
    }
    let check = |a, order, b| check(Scheme::SemVer, a, order, b);
    check("v1", "=", "1.0.0");
    check("1.0.0.0.0", "=", "1");
    check("1.0.0.1", ">", "1.0.0");
    check("20.10.0+incompatible", "=", "20.10.0");
    check("0.0.0-20220906165146-f3363e06e74c", "<", "0.0.0-20220907000000-aaaaaaaaaaaa");
    check("1.19.0-0", "<", "1.19.0-rc.1");
}

/// Strings near the grammar of all schemes, so that many parse and many nearly do.
fn version() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "0",
        "00",
        "1",
        "2",
        "10",
        "9",
        "007",
        "123456789012345678901",
        ".",
        ".",
        ".",
        "-",
        "_",
        "+",
        "~",
        ":",
        "!",
        "v",
        "a",
        "b",
        "rc",
        "alpha",
        "post",
        "dev",
        "pre",
        "r",
        "x",
        "Z",
        "é",
        "*",
        "final",
        "c",
        "0a",
    ]);
    prop::collection::vec(piece, 1..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

    #[test]
    fn orders_are_total_and_keys_agree(a in version(), b in version(), c in version()) {
        for scheme in Scheme::ALL {
            prop_assert_eq!(scheme.key(&a).is_some(), scheme.compare(&a, &a) == Some(Ordering::Equal));
            if let (Some(x), Some(y)) = (scheme.key(&a), scheme.key(&b)) {
                prop_assert_eq!(Some(x.cmp(&y)), scheme.compare(&a, &b), "{}: {} {}", scheme, a, b);
            }
            let (Some(ab), Some(ba)) = (scheme.compare(&a, &b), scheme.compare(&b, &a)) else { continue };
            prop_assert_eq!(ab, ba.reverse());
            let (Some(bc), Some(ac)) = (scheme.compare(&b, &c), scheme.compare(&a, &c)) else { continue };
            if ab == bc {
                prop_assert_eq!(ac, ab, "{}: {} {} {}", scheme, a, b, c);
            }
            if ab.is_eq() {
                prop_assert_eq!(ac, bc, "{}: {} {} {}", scheme, a, b, c);
            }
        }
    }

    #[test]
    fn no_bytes_break_a_line(line in prop::collection::vec(any::<u8>(), 0..40)) {
        for scheme in Scheme::ALL {
            prop_assert!(["<", "=", ">", "invalid"].contains(&scheme.compare_line(&line)));
        }
    }
}

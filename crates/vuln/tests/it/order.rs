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
    check_directly(scheme, a, expected, b);
    let by_key = scheme.key(a).zip(scheme.key(b)).map(|(a, b)| symbol(a.cmp(&b)));
    assert_eq!(by_key, Some(expected), "{scheme}, by key: {a} {expected} {b}");
}

#[track_caller]
fn check_directly(scheme: Scheme, a: &str, expected: &str, b: &str) {
    let order = scheme.compare(a, b).map(symbol);
    assert_eq!(order, Some(expected), "{scheme}: {a} {expected} {b}");
    let reversed = scheme.compare(b, a).map(Ordering::reverse).map(symbol);
    assert_eq!(reversed, Some(expected), "{scheme}, reversed: {b} against {a}");
}

/// Each below all that follow.
#[track_caller]
fn ascending(scheme: Scheme, versions: &[&str]) {
    for (at, a) in versions.iter().enumerate() {
        for b in &versions[at + 1..] {
            check(scheme, a, "<", b);
        }
    }
}

/// Lines that form a circle with other lines, or with the rule behind them, so that no key can hold all.
const CIRCLES: [(Scheme, &str); 3] = [
    (Scheme::Maven, "2.9.0-1 < 2.9.0.RC1"),
    (Scheme::Maven, "1.0.0-gradle-rework-beta3 < 1.0.0.RC7-3"),
    (Scheme::Packagist, "1.2.3.# = 1.2.3.1"),
];

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
                if CIRCLES.contains(&(scheme, line)) {
                    check_directly(scheme, a, expected, b);
                    assert_ne!(symbol(scheme.key(a).cmp(&scheme.key(b))), expected, "{line}");
                } else {
                    check(scheme, a, expected, b);
                }
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
    ascending(
        Scheme::PyPI,
        &[
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
        ],
    );
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
    ascending(
        Scheme::SemVer,
        &[
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
        ],
    );
    let check = |a, order, b| check(Scheme::SemVer, a, order, b);
    check("v1", "=", "1.0.0");
    check("1.0.0.0.0", "=", "1");
    check("1.0.0.1", ">", "1.0.0");
    check("20.10.0+incompatible", "=", "20.10.0");
    check("0.0.0-20220906165146-f3363e06e74c", "<", "0.0.0-20220907000000-aaaaaaaaaaaa");
    check("1.19.0-0", "<", "1.19.0-rc.1");
}

#[test]
fn alpine_follows_apk() {
    ascending(
        Scheme::Alpine,
        &[
            "1_alpha_pre1",
            "1_alpha",
            "1_rc",
            "1_rc1",
            "1_rc2",
            "1_blah",
            "1",
            "1-r0",
            "1-r1",
            "1~abc",
            "1_cvs",
            "1_p",
            "1_p-r3",
            "1_p1",
            "1a",
            "1a_p1",
            "1a1",
            "1a2",
            "1b",
            "1.0",
            "1.00",
            "1.01",
            "1.1",
            "1.10",
            "2",
            "18446744073709551616",
            "18446744073709551617",
        ],
    );
    let check = |a, order, b| check(Scheme::Alpine, a, order, b);
    check("01", "=", "1");
    check("1_foo", "=", "1_bar");
    check("1_pfoo", "<", "1");
    check("1-r1-r2", "<", "1-r1");
    check("1.2.é", "=", "1.2.z.");
}

#[test]
fn redhat_follows_rpmvercmp() {
    ascending(
        Scheme::RedHat,
        &[
            "1~~", "1~", "1~a", "1~1", "1", "1-", "1-1", "1^", "1^a", "1^1", "1a", "1.b", "1.0",
            "1.1", "1:0",
        ],
    );
    let check = |a, order, b| check(Scheme::RedHat, a, order, b);
    check("1.0", "=", "1..00");
    check(":1", "=", "0:1");
    check("1-2-3", ">", "1-2");
    check("18446744073709551617-1", ">", "18446744073709551616-1");
    check("x:1", "<", "0:1");
}

#[test]
fn pub_orders_builds() {
    ascending(
        Scheme::Pub,
        &[
            "1.0.0-a+9",
            "1.0.0-a+10",
            "1.0.0",
            "1.0.0+1",
            "1.0.0+1.0",
            "1.0.0+1.a",
            "1.0.0+2",
            "1.0.0+10",
            "1.0.0+a",
        ],
    );
    check(Scheme::Pub, "1.0.0+", "=", "1.0.0");
}

#[test]
fn nuget_is_blind_to_case() {
    ascending(
        Scheme::NuGet,
        &["1-1", "1-ALPHA", "1-alpha.1", "1-Beta", "1", "1.0.0.1-a", "1.0.0.1", "1.0.0.1.1"],
    );
    check(Scheme::NuGet, "1.0-É", "=", "1.0.0.0-é+X");
}

#[test]
fn cran_and_hackage_are_lists() {
    for scheme in [Scheme::Cran, Scheme::Hackage] {
        ascending(
            scheme,
            &[
                "0",
                "0.0",
                "0.1",
                "0.1.0",
                "0.10",
                "1",
                "18446744073709551616",
                "18446744073709551617",
            ],
        );
        check(scheme, "1..01", "=", "1.1.");
    }
}

#[test]
fn rubygems_follows_gem_version() {
    ascending(
        Scheme::RubyGems,
        &[
            "1.A",
            "1.a.a",
            "1.a.0.a",
            "1.a.0.0.a",
            "1.a",
            "1.a.0.0.1",
            "1.a.0.1",
            "1.a.1",
            "1.b",
            "1-1",
            "1",
            "1.0.1",
            "1.1.a",
            "1.1",
        ],
    );
    let check = |a, order, b| check(Scheme::RubyGems, a, order, b);
    check("1.0.a", "=", "1.a0");
    check("1-rc1", "=", "1.pre.rc.1");
    check("1.0.0", "=", "01");
}

#[test]
fn packagist_follows_version_compare() {
    ascending(
        Scheme::Packagist,
        &[
            "1.0.unknown",
            "1.0.dev",
            "1.0alpha1",
            "1.0a2",
            "1.0b",
            "1.0-RC1",
            "1.0rc2",
            "1.0",
            "1.0.0",
            "1.0.1",
            "1.0pl1",
        ],
    );
    let check = |a, order, b| check(Scheme::Packagist, a, order, b);
    check("1.0-Beta", "=", "1.0-wip");
    check("1.0-Beta", "<", "1.0-beta");
    check("V1.0", "=", "v1+0");
    check("1.#.rc", "<", "1.#");
    check("1.", "<", "1");
    check_directly(Scheme::Packagist, "1.#.2", ">", "1.1.1");
}

#[test]
fn maven_follows_comparable_version() {
    ascending(
        Scheme::Maven,
        &[
            "1.alpha",
            "1-a1",
            "1-beta",
            "1-m2",
            "1-cr1",
            "1-SNAPSHOT",
            "1",
            "1-sp",
            "1-x",
            "1-y",
            "1-1",
            "1-1.1",
            "1.0.1",
            "1.1",
        ],
    );
    let check = |a, order, b| check(Scheme::Maven, a, order, b);
    check("1-ga-final-0.0-1", "=", "1-1");
    check("1.0.Final", "=", "1");
    check("1-a", ">", "1");
    check("1cr2", "=", "1.0-RC-2");
    check("1_x", "=", "1-_X");
}

/// What versions of the scheme are made of, with what its grammar nearly takes.
fn pieces(scheme: Scheme) -> &'static [&'static str] {
    match scheme {
        Scheme::Alpine => {
            &[".", ".", "..", "a", "p", "_rc", "_alpha", "_p", "_git", "_x", "~ab", "-r", "-r", "D"]
        }
        Scheme::Cran | Scheme::Hackage => &[".", "-", "..", "1.", "0."],
        Scheme::Debian => &[".", "~", "+", "-", ":", "a", "deb", "é"],
        Scheme::Maven => &[".", "-", "a", "rc", "Alpha", "sp", "ga", "final", "SNAPSHOT", "x", "é"],
        Scheme::NuGet | Scheme::Pub | Scheme::SemVer => {
            &[".", ".", "-", "+", "v", "a", "A", "rc", "-0a", "é"]
        }
        Scheme::Packagist => &[".", "-", "+", "a", "b", "RC", "rc", "dev", "p", "pl", "x", "~"],
        Scheme::PyPI => {
            &[".", "-", "_", "+", "!", "a", "rc", "post", "dev", "r", "pre", "x", "c", "final", "*"]
        }
        Scheme::RedHat => &[".", "-", "~", "^", ":", "_", "a", "ab", "el", "α"],
        Scheme::RubyGems => &[".", "-", "a", "b", "pre", "A", "_", ".0.", "é"],
    }
}

const NUMBERS: [&str; 7] = ["0", "0", "1", "2", "10", "007", "123456789012345678901"];

/// Numbers and pieces by turns, near enough to each other to be often equal or alike at the start.
fn version(scheme: Scheme) -> impl Strategy<Value = String> {
    let number = || prop::sample::select(NUMBERS.to_vec());
    let piece = prop_oneof![prop::sample::select(pieces(scheme).to_vec()), number()];
    (number(), prop::collection::vec(piece, 0..7))
        .prop_map(|(first, pieces)| first.to_owned() + &pieces.concat())
}

fn three_versions() -> impl Strategy<Value = (Scheme, [String; 3])> {
    prop::sample::select(Scheme::ALL.to_vec()).prop_flat_map(|scheme| {
        let versions = (version(scheme), version(scheme), version(scheme));
        (Just(scheme), versions.prop_map(|(a, b, c)| [a, b, c]))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16_000) })]

    #[test]
    fn orders_are_total_and_keys_agree((scheme, [a, b, c]) in three_versions()) {
        holds(scheme, &a, &b, &c)?;
    }
}

proptest! {
    // Each case asks every scheme.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_text_breaks_an_order(a in ".{0,12}", b in "[0-9v.]{0,3}.{0,6}", c in "[0-9.a~#_-]{0,8}") {
        for scheme in Scheme::ALL {
            holds(scheme, &a, &b, &c)?;
        }
    }

    #[test]
    fn no_bytes_break_a_line(line in prop::collection::vec(any::<u8>(), 0..40)) {
        for scheme in Scheme::ALL {
            prop_assert!(["<", "=", ">", "invalid"].contains(&scheme.compare_line(&line)));
        }
    }
}

/// Antisymmetric for every scheme; transitive and the same by key where the scheme is an order. PHP's relation is one
/// as long as nobody writes `#`.
fn holds(scheme: Scheme, a: &str, b: &str, c: &str) -> Result<(), TestCaseError> {
    prop_assert_eq!(scheme.key(a).is_some(), scheme.compare(a, a) == Some(Ordering::Equal));
    let (Some(ab), Some(ba)) = (scheme.compare(a, b), scheme.compare(b, a)) else { return Ok(()) };
    prop_assert_eq!(ab, ba.reverse());
    let without_circles = scheme == Scheme::Packagist && ![a, b, c].concat().contains('#');
    if !scheme.is_order() && !without_circles {
        return Ok(());
    }
    prop_assert_eq!(scheme.key(a).cmp(&scheme.key(b)), ab, "{}: {} {}", scheme, a, b);
    let (Some(bc), Some(ac)) = (scheme.compare(b, c), scheme.compare(a, c)) else { return Ok(()) };
    if ab == bc || bc.is_eq() {
        prop_assert_eq!(ac, ab, "{}: {} {} {}", scheme, a, b, c);
    }
    if ab.is_eq() {
        prop_assert_eq!(ac, bc, "{}: {} {} {}", scheme, a, b, c);
    }
    Ok(())
}

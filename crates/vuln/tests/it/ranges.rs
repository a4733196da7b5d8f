//! One version against one record, by table and against direct comparison.
use crate::advisories::{advisory, affected, segment};
use proptest::prelude::*;
use seawall_model::package::Ecosystem;
use seawall_vuln::matcher::{Judgement, Reason, Verdict, judge};
use seawall_vuln::{Scheme, Subject};

fn judged(ecosystem: Ecosystem, ranges: &[&str], version: &str) -> Judgement {
    let record = advisory("R-1", &[], vec![affected(ecosystem, None, "demo", ranges)]);
    let mut judgements =
        judge(&segment(ecosystem, None, &[record]), &Subject::plain("demo", version));
    assert_eq!(judgements.len(), 1);
    judgements.remove(0)
}

#[track_caller]
fn check(ranges: &[&str], version: &str, verdict: Verdict, fixes: &[&str]) {
    let judgement = judged(Ecosystem::PyPI, ranges, version);
    let named: Vec<&str> = judgement.fixes.iter().map(|fix| fix.version.as_str()).collect();
    assert_eq!((judgement.verdict, named.as_slice()), (verdict, fixes), "{version} in {ranges:?}");
}

#[test]
fn ranges_and_listed_versions_decide() {
    use Reason::{BeforeIntroduced, FixInstalled, OutsideRanges};
    use Verdict::{Affected, NotAffected};
    check(&["..2"], "1", Affected, &["2"]);
    check(&["..2"], "2", NotAffected(FixInstalled), &[]);
    check(&["..2"], "2.dev1", Affected, &["2"]);
    check(&["..2"], "not-a-version", Affected, &["2"]);
    check(&["1..2"], "0.9", NotAffected(BeforeIntroduced), &[]);
    check(&["1..2"], "1.0.0", Affected, &["2"]);
    check(&["1..=2"], "2.0", Affected, &[]);
    check(&["1..=2"], "2.0.1", NotAffected(OutsideRanges), &[]);
    check(&["1.."], "99", Affected, &[]);
    check(&["1..2", "3..4"], "2.5", NotAffected(FixInstalled), &[]);
    check(&["1..2", "3..4"], "3.5", Affected, &["4"]);
    check(&["1..3", "2..4"], "2.5", Affected, &["3", "4"]);
    check(&["=1.0", "=1.5"], "1.0.0", Affected, &[]);
    check(&["=1.0"], "1.0.post1", NotAffected(OutsideRanges), &[]);
    check(&["1..2", "=0.5"], "0.5", Affected, &["2"]);
    check(&["1..2", "=2.5"], "2.5", Affected, &[]);
}

#[test]
fn comparisons_show_what_decided() {
    let judgement = judged(Ecosystem::Go, &["1.2.0..1.4.0", "=9.0.0"], "v1.3.0");
    let shown: Vec<String> = judgement
        .compared
        .iter()
        .map(|c| format!("{} {} {} {}", c.installed, c.order, c.kind, c.bound))
        .collect();
    assert_eq!(shown, ["v1.3.0 > introduced 1.2.0", "v1.3.0 < fixed 1.4.0"]);
}

#[test]
fn debian_fix_zero_means_never_affected() {
    let record =
        advisory("D-1", &[], vec![affected(Ecosystem::Debian, Some("11"), "demo", &["..0"])]);
    let judged =
        judge(&segment(Ecosystem::Debian, Some("11"), &[record]), &Subject::plain("demo", "0~a"));
    assert_eq!(judged[0].verdict, Verdict::NotAffected(Reason::NeverAffected));
}

#[test]
fn versions_and_bounds_outside_the_order_are_unknown() {
    assert_eq!(
        judged(Ecosystem::Go, &["..1.0.0"], "(devel)").verdict,
        Verdict::Unknown(Reason::NotComparable)
    );
    let broken = judged(Ecosystem::Go, &["broken..2.0.0"], "3.0.0");
    assert_eq!(broken.verdict, Verdict::Unknown(Reason::BoundNotComparable));
    let other = judged(Ecosystem::Go, &["broken..2.0.0", "1.0.0..4.0.0"], "3.0.0");
    assert_eq!(other.verdict, Verdict::Affected, "a sound range decides");
}

fn version() -> impl Strategy<Value = String> {
    "[0-9]{1,2}(\\.[0-9]{1,2}){0,2}(a1|rc1|\\.post1|\\.dev1)?"
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    /// Keys in a segment decide as the versions themselves do.
    #[test]
    fn segments_decide_as_direct_comparison(a in version(), b in version(), listed in version(), v in version()) {
        for ecosystem in [Ecosystem::PyPI, Ecosystem::Go] {
            let order = |bound: &str| Scheme::of(ecosystem).compare(&v, bound).unwrap();
            let within = order(&a).is_ge() && order(&b).is_lt() || order(&listed).is_eq();
            let judgement = judged(ecosystem, &[&format!("{a}..{b}"), &format!("={listed}")], &v);
            prop_assert_eq!(judgement.verdict == Verdict::Affected, within, "{} in {}..{}, ={}", v, a, b, listed);
        }
    }
}

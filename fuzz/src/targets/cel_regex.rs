//! Regular expressions in Go's syntax: each compiles, or is refused with Go's words. Matches lie in the text, in order,
//! and the first is what `find` gives.
use super::texts;
use crate::Target;
use seawall_cel::Regex;

pub(crate) const TARGET: Target = Target { name: "cel-regex", run, seeds, rounds: 400 };

/// The first line is the pattern, the rest is searched.
fn run(bytes: &[u8]) {
    let input = String::from_utf8_lossy(bytes);
    let (pattern, text) = input.split_once('\n').unwrap_or((&input, "abc ABC 123 \u{e9}"));
    let regex = match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(error) => {
            let ours = error.starts_with("regular expression ");
            assert!(ours || error.starts_with("error parsing regexp: "), "{error}");
            return;
        }
    };
    let all = regex.find_all(text, -1);
    assert_eq!(regex.is_match(text), !all.is_empty());
    assert_eq!(regex.find(text), all.first().copied().unwrap_or_default());
    assert_eq!(regex.find_all(text, 2), all[..all.len().min(2)]);
    let mut rest = text;
    for found in all {
        let at = rest.find(found).expect("matches do not overlap and keep their order");
        rest = &rest[at + found.len()..];
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$\nmy-name",
        "(?i)(a|b)+?c{2,3}\nAbCC",
        "[[:alpha:]_\\d&&~~--x-z]+\nab_1",
        "\\Qa.b\\E|\\x{1F600}|\\101\na.b",
        "(?P<name>\\pL+)(?<n>\\P{Greek})\n\u{3b1}\u{3b2}x",
        "(?s:.)(?m)^\\b\\B$\\z\n\n",
        "a{,2}{1,}\\A(?U)x*?\na{,2}",
        "((a*)*|b)*\naab",
    ])
}

//! Go's regular expressions: what is translated compiles or is refused, and never panics on a text.
use super::texts;
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "rego-regex", run, seeds, rounds: 1_500 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (pattern, subject) = text.split_once('\n').unwrap_or((&text, "ab1"));
    if let Some(regex) = seawall_rego::regex_of_go(pattern) {
        regex.is_match(subject);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "^[a-z]([-a-z0-9]*[a-z0-9])?$\nab-1",
        "(?i)\\d{1,3}\\Q.*\\E[[:alpha:]\\w-]+?\\x{41}\\012|$",
        "[]a[&&~~--]\\p{Greek}\\PL{,3}{2}",
        "@[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$",
    ])
}

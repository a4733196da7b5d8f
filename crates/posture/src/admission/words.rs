//! What people read: warnings in `kubectl`, and why a request was refused with what to do about it.
use super::answer::Counts;
use super::judge::{Failed, Judged};
use seawall_model::admission::PolicyAction;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Bytes of one warning and of all; beyond 256 characters each and 4,096 together the API server itself cuts.
/// Source: k8s.io/apiserver `endpoints/filters/warning.go`, 1.36.
const MAX_WARNING: usize = 256;
const MAX_WARNINGS: usize = 4 << 10;
/// Bytes kept back for the line that counts what was left out.
const COUNT_LINE: usize = 64;
/// Bytes of a refusal. A terminal's screen; events and owners' conditions show the first kilobyte.
const MAX_DENIAL: usize = 4 << 10;
/// Bytes of one control's remedy in a refusal.
const MAX_REMEDY: usize = 300;
/// Bytes of a JSON Patch in a refusal; a longer one is not typed but written by `--fix`.
const MAX_PATCH: usize = 1_000;
/// Failing paths named in a refusal, for each control.
const SHOWN_PATHS: usize = 3;
/// Bytes of one refusal of a user's policy: the longest message that an expression makes has 5 KiB.
const MAX_LINE: usize = 6 << 10;
/// Bytes of one audit annotation's value.
const MAX_ANNOTATION: usize = 512;
/// Bytes of users' audit annotations in one answer, of which each may have 10 KiB; what is over is counted.
const MAX_ANNOTATIONS: usize = 64 << 10;
/// Bytes of an annotation's key. Source: k8s.io/apimachinery `util/validation`, IsQualifiedName.
const MAX_KEY: usize = 63;

/// Warnings, each one line within its bytes, all of them together within theirs, then a count.
pub(super) fn warnings(texts: Vec<String>) -> Vec<String> {
    let total = texts.len();
    let (mut told, mut bytes) = (Vec::new(), 0);
    for text in texts {
        let text = cut(&one_line(&text), MAX_WARNING);
        if bytes + text.len() > MAX_WARNINGS - COUNT_LINE {
            told.push(format!("and {} more warnings", total - told.len()));
            return told;
        }
        bytes += text.len();
        told.push(text);
    }
    told
}

pub(super) fn warning(failed: &Failed<'_>) -> String {
    let place = match failed.paths.as_slice() {
        [] => String::new(),
        [path] => format!(" ({path})"),
        [path, more @ ..] => format!(" ({path} and {} more)", more.len()),
    };
    let allowed =
        if failed.already_failing { "; it failed before this update: allowed" } else { "" };
    format!("[{}] {}{place}{allowed}", failed.bound.control.id, failed.message)
}

pub(super) fn undecided(control: &str, why: &str) -> String {
    format!("[{control}] no answer, so allowed: {why}")
}

pub(super) fn unfinished(controls: &[String]) -> String {
    format!("not judged in time, so allowed: {}", controls.join(", "))
}

/// Why the request was refused: a line per refusal of users' policies, then per control its id, title, message, places,
/// and the fix.
pub(super) fn denial(lines: &[&str], failed: &[Failed<'_>]) -> String {
    let denied: Vec<&Failed<'_>> = failed.iter().filter(|failed| failed.denies()).collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let line = cut(line, MAX_LINE);
        if !text.is_empty() && text.len() + line.len() > MAX_DENIAL {
            let _infallible = write!(text, "\nand {} more policies' refusals", lines.len() - index);
            break;
        }
        text.push('\n');
        text.push_str(&line);
    }
    for (index, failed) in denied.iter().enumerate() {
        let section = section(failed);
        if !text.is_empty() && text.len() + section.len() > MAX_DENIAL {
            let left = denied[index..].iter().map(|failed| failed.bound.control.id.as_str());
            let left = left.collect::<Vec<_>>().join(", ");
            let _infallible = write!(text, "\nand {}", cut(&left, MAX_REMEDY));
            break;
        }
        text.push('\n');
        text.push_str(&section);
    }
    text.trim_start_matches('\n').to_owned()
}

fn section(failed: &Failed<'_>) -> String {
    let control = &failed.bound.control;
    let message = cut(&one_line(&failed.message), MAX_REMEDY);
    let mut text = format!("[{}] {}: {message}", control.id, control.title);
    for path in failed.paths.iter().take(SHOWN_PATHS) {
        let _infallible = write!(text, "\n  at {}", cut(&one_line(path), MAX_WARNING));
    }
    if failed.paths.len() > SHOWN_PATHS {
        let _infallible = write!(text, "\n  and {} more places", failed.paths.len() - SHOWN_PATHS);
    }
    let remedy = cut(&one_line(&control.remediation), MAX_REMEDY);
    let _infallible = write!(text, "\n  fix: {remedy}");
    let _infallible = write!(text, "{}", patch(&control.id, failed.more_to_fix, &failed.fix));
    text
}

/// A command that heals the manifest; the object itself does not exist yet, or is not what was refused.
fn patch(control: &str, more_to_fix: bool, fix: &[Value]) -> String {
    if fix.is_empty() && !more_to_fix {
        return String::new();
    }
    let operations = Value::Array(fix.to_vec()).to_string();
    if more_to_fix || operations.len() > MAX_PATCH {
        return format!("\n  or: seawall scan manifests --control {control} --fix FILE");
    }
    let quoted = operations.replace('\'', r"'\''");
    format!("\n  or: kubectl patch --local -f FILE --type json -o yaml -p '{quoted}'")
}

/// What goes into the API server's audit events: (key, value); the server puts the webhook's name before the key.
/// `users` are those of users' policies under the API server's keys.
pub(super) fn annotations(
    judged: &Judged<'_>,
    counts: &Counts,
    users: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let is = |action| {
        let controls = judged
            .failed
            .iter()
            .filter(move |failed| !failed.already_failing && failed.bound.action == action);
        let controls = controls.map(|failed| failed.bound.control.id.as_str());
        let rulings = judged.rulings.iter().map(|(_, ruling)| ruling);
        let policies = rulings.filter(move |ruling| ruling.action() == action);
        controls.chain(policies.map(|ruling| ruling.id.as_str())).collect::<Vec<_>>()
    };
    let ids = |ids: &'_ [String]| ids.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    let already = judged.failed.iter().filter(|failed| failed.already_failing);
    let already: Vec<&str> = already.map(|failed| failed.bound.control.id.as_str()).collect();
    let lists = [
        ("denied", is(PolicyAction::Deny).join(",")),
        ("warned", is(PolicyAction::Warn).join(",")),
        ("audited", is(PolicyAction::Audit).join(",")),
        ("already-failing", already.join(",")),
        ("undecided", ids(&counts.undecided)),
        ("unfinished", ids(&counts.unfinished)),
        ("ignored", ids(&counts.ignored)),
    ];
    let told = lists.into_iter().filter(|(_, ids)| !ids.is_empty());
    let mut told: Vec<(String, String)> =
        told.map(|(key, ids)| (key.to_owned(), cut(&ids, MAX_ANNOTATION))).collect();
    let (mut bytes, mut left_out) = (0, 0);
    for (key, value) in users {
        bytes += key.len() + value.len();
        match bytes <= MAX_ANNOTATIONS {
            true => told.push((annotation_key(key), value.clone())),
            false => left_out += 1,
        }
    }
    if left_out > 0 {
        told.push(("annotations-left-out".to_owned(), left_out.to_string()));
    }
    told
}

/// `POLICY/KEY` as `POLICY_KEY`: the API server puts the webhook's name and a slash before it and drops what is then no
/// qualified name. Policies' names have no `_`. One that is too long ends in its hash.
fn annotation_key(key: &str) -> String {
    let key = key.replace('/', "_");
    if key.len() <= MAX_KEY {
        return key;
    }
    // FNV-1a: the same on every machine and in every version.
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let kept = key.floor_char_boundary(MAX_KEY - 17);
    format!("{}-{hash:016x}", &key[..kept])
}

/// Without line breaks and control characters, which headers cannot carry.
pub(super) fn one_line(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// At most `limit` bytes, the last three an ellipsis where something is missing.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let ellipsis = '…';
    let end = text.floor_char_boundary(limit - ellipsis.len_utf8());
    format!("{}{ellipsis}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_bounded_and_counted() {
        let long = |n: usize| vec!["é".repeat(200); n];
        for (texts, count, last) in [
            (vec!["a\nb\u{7}".to_owned()], 1, "a b"),
            (long(1), 1, "…"),
            (long(15), 15, "…"),
            (long(16), 16, "and 1 more warnings"),
            (long(500), 16, "and 485 more warnings"),
        ] {
            let told = warnings(texts);
            assert_eq!(told.len(), count);
            assert!(told.last().unwrap().trim_end().ends_with(last), "{told:?}");
            assert!(told.iter().all(|text| text.len() <= MAX_WARNING));
            assert!(told.iter().map(String::len).sum::<usize>() <= MAX_WARNINGS);
        }
        assert_eq!(warnings(Vec::new()), [""; 0]);
    }

    #[test]
    fn keys_are_parts_of_qualified_names() {
        for (key, expected) in [
            ("limits/high-replicas", "limits_high-replicas".to_owned()),
            (
                "validation.policy.admission.k8s.io/validation_failure",
                "validation.policy.admission.k8s.io_validation_failure".to_owned(),
            ),
            (&format!("{}/key", "p".repeat(80)), format!("{}-24e9912a1a200e75", "p".repeat(46))),
        ] {
            let made = annotation_key(key);
            assert!(made.len() <= MAX_KEY && !made.contains('/'));
            assert_eq!(made, expected);
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        for (text, limit, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 4, "abcd"),
            ("abcdef", 5, "ab…"),
            ("éééé", 6, "é…"),
            ("éééé", 7, "éé…"),
        ] {
            assert_eq!(cut(text, limit), expected);
        }
    }

    #[test]
    fn a_patch_is_quoted_for_the_shell_or_left_to_a_command() {
        let operation =
            |value: &str| serde_json::json!({"op": "test", "path": "/a", "value": value});
        assert_eq!(patch("SW-C-0001", false, &[]), "");
        assert!(
            patch("SW-C-0001", false, &[operation("it's")])
                .ends_with(r#"-p '[{"op":"test","path":"/a","value":"it'\''s"}]'"#)
        );
        let long = operation(&"x".repeat(MAX_PATCH));
        let command = "\n  or: seawall scan manifests --control SW-C-0001 --fix FILE";
        assert_eq!(patch("SW-C-0001", false, &[long]), command);
        assert_eq!(patch("SW-C-0001", true, &[]), command);
    }
}

//! What people read: warnings in `kubectl`, and why a request was refused with what to do about it.
use super::judge::Failed;
use seawall_model::admission::PolicyAction;
use serde_json::Value;
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
/// Bytes of one audit annotation's value.
const MAX_ANNOTATION: usize = 512;

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

/// Why the request was refused: per control its id, title, message, places, and the fix.
pub(super) fn denial(failed: &[Failed<'_>]) -> String {
    let denied: Vec<&Failed<'_>> = failed.iter().filter(|failed| failed.denies()).collect();
    let mut text = String::new();
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
pub(super) fn annotations(
    failed: &[Failed<'_>],
    undecided: &[String],
    unfinished: &[String],
) -> Vec<(&'static str, String)> {
    let with = |wanted: &dyn Fn(&Failed<'_>) -> bool| {
        let ids = failed.iter().filter(|failed| wanted(failed));
        ids.map(|failed| failed.bound.control.id.clone()).collect::<Vec<_>>()
    };
    let is = |action| {
        move |failed: &Failed<'_>| !failed.already_failing && failed.bound.action == action
    };
    let lists = [
        ("denied", with(&is(PolicyAction::Deny))),
        ("warned", with(&is(PolicyAction::Warn))),
        ("audited", with(&is(PolicyAction::Audit))),
        ("already-failing", with(&|failed| failed.already_failing)),
        ("undecided", undecided.to_vec()),
        ("unfinished", unfinished.to_vec()),
    ];
    let told = lists.into_iter().filter(|(_, ids)| !ids.is_empty());
    told.map(|(key, ids)| (key, cut(&ids.join(","), MAX_ANNOTATION))).collect()
}

/// Without line breaks and control characters, which headers cannot carry.
fn one_line(text: &str) -> String {
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

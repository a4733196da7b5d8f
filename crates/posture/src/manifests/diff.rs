//! Repaired files as unified diffs.
use super::Repaired;
use similar::{Algorithm, DiffOp, capture_diff, group_diff_ops};
use std::fmt::Write;
use std::ops::Range;

/// Lines of context in a diff, as `diff -u` has them.
const CONTEXT: usize = 3;

/// A unified diff with three lines of context; empty where nothing changes. Only the lines around each edit are
/// compared: a search over the whole of a long list would take time with the square of its changes.
pub fn diff(repaired: &Repaired) -> String {
    let before: Vec<&str> = repaired.before.split_inclusive('\n').collect();
    let after: Vec<&str> = repaired.after.split_inclusive('\n').collect();
    let mut operations: Vec<DiffOp> = Vec::new();
    let (mut old, mut new) = (0, 0);
    for (old_lines, new_lines) in changed_lines(repaired, &before, &after) {
        push_equal(&mut operations, old, new, old_lines.start - old);
        (old, new) = (old_lines.end, new_lines.end);
        let found = capture_diff(Algorithm::Myers, &before[..], old_lines, &after[..], new_lines);
        for operation in found {
            match operation {
                DiffOp::Equal { old_index, new_index, len } => {
                    push_equal(&mut operations, old_index, new_index, len);
                }
                changed => operations.push(changed),
            }
        }
    }
    push_equal(&mut operations, old, new, before.len() - old);
    let hunks = group_diff_ops(operations, CONTEXT);
    let mut text = String::new();
    for hunk in hunks.iter().filter(|hunk| !hunk.is_empty()) {
        if text.is_empty() {
            let (old, new) = (named('a', &repaired.path), named('b', &repaired.path));
            text = format!("--- {old}\n+++ {new}\n");
        }
        write_hunk(&mut text, hunk, &before, &after);
    }
    text
}

/// Equal lines on both sides of an edit's border are one run, so that hunks are grouped by the lines between them.
fn push_equal(operations: &mut Vec<DiffOp>, old_index: usize, new_index: usize, len: usize) {
    match operations.last_mut() {
        _ if len == 0 => {}
        Some(DiffOp::Equal { len: run, .. }) => *run += len,
        _ => operations.push(DiffOp::Equal { old_index, new_index, len }),
    }
}

/// The edits in whole lines of both texts; edits that share a line are one.
fn changed_lines(
    repaired: &Repaired,
    before: &[&str],
    after: &[&str],
) -> Vec<(Range<usize>, Range<usize>)> {
    let (old_starts, new_starts) = (line_starts(before), line_starts(after));
    let mut lines: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for (old, new) in &repaired.changes {
        let whole = [(&repaired.before, old), (&repaired.after, new)]
            .iter()
            .all(|(text, range)| range.end == text.len() || text[..range.end].ends_with('\n'));
        let old_lines = lines_of(&old_starts, old, whole);
        let new_lines = lines_of(&new_starts, new, whole);
        match lines.last_mut() {
            Some((old, new)) if old_lines.start < old.end || new_lines.start < new.end => {
                old.end = old.end.max(old_lines.end);
                new.end = new.end.max(new_lines.end);
            }
            _ => lines.push((old_lines, new_lines)),
        }
    }
    lines
}

/// The byte each line begins at, and the text's end.
fn line_starts(lines: &[&str]) -> Vec<usize> {
    let mut starts = vec![0];
    starts.extend(lines.iter().scan(0, |end, line| {
        *end += line.len();
        Some(*end)
    }));
    starts
}

/// `whole`: the range ends with a line, else within one.
fn lines_of(starts: &[usize], range: &Range<usize>, whole: bool) -> Range<usize> {
    let line = |at: usize| starts.partition_point(|start| *start <= at).saturating_sub(1);
    let last = starts.len() - 1;
    let start = line(range.start).min(last);
    let end = if whole { line(range.end) } else { line(range.end) + 1 };
    start..end.clamp(start, last)
}

/// In quotes where `patch` and `git apply` would read another name, or a terminal would act on it. An absolute path
/// keeps one slash. Source: git-diff(1), "quoted path"; GNU diffutils manual, "File names with unusual characters".
fn named(side: char, path: &str) -> String {
    let path = format!("{side}/{}", path.trim_start_matches('/'));
    let is_plain =
        |byte: u8| (byte.is_ascii_graphic() || byte >= 0x80) && byte != b'"' && byte != b'\\';
    if path.bytes().all(is_plain) && !path.contains(char::is_control) {
        return path;
    }
    let mut quoted = String::from("\"");
    for byte in path.bytes() {
        let _infallible = match byte {
            b'"' | b'\\' => write!(quoted, "\\{}", char::from(byte)),
            b' '..=b'~' => write!(quoted, "{}", char::from(byte)),
            other => write!(quoted, "\\{other:03o}"),
        };
    }
    quoted + "\""
}

fn write_hunk(text: &mut String, hunk: &[DiffOp], before: &[&str], after: &[&str]) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { return };
    let old = shown(first.old_range().start..last.old_range().end);
    let new = shown(first.new_range().start..last.new_range().end);
    let _infallible = writeln!(text, "@@ -{old} +{new} @@");
    for operation in hunk {
        let removed = before[operation.old_range()].iter();
        if let DiffOp::Equal { .. } = operation {
            removed.for_each(|line| write_line(text, ' ', line));
            continue;
        }
        removed.for_each(|line| write_line(text, '-', line));
        after[operation.new_range()].iter().for_each(|line| write_line(text, '+', line));
    }
}

fn write_line(text: &mut String, sign: char, line: &str) {
    text.push(sign);
    text.push_str(line);
    if !line.ends_with('\n') {
        text.push_str("\n\\ No newline at end of file\n");
    }
}

/// First line, counted from 1, and number of lines, where it is not 1; an empty range is named by the line before it.
/// Source: POSIX `diff`, "Diff -u Output Format".
fn shown(lines: Range<usize>) -> String {
    match lines.len() {
        0 => format!("{},0", lines.start),
        1 => format!("{}", lines.start + 1),
        length => format!("{},{length}", lines.start + 1),
    }
}

#[test]
fn names_are_quoted_where_they_would_be_misread() {
    for (path, expected) in [
        ("deploy/web.yaml", "a/deploy/web.yaml"),
        ("/srv/web.yaml", "a/srv/web.yaml"),
        ("my web.yaml", "\"a/my web.yaml\""),
        ("ü.yaml", "a/ü.yaml"),
        ("a\nb\u{1b}\"\\", "\"a/a\\012b\\033\\\"\\\\\""),
        ("\u{9b}", "\"a/\\302\\233\""),
    ] {
        assert_eq!(named('a', path), expected);
    }
}

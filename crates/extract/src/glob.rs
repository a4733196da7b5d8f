//! Path patterns: `*` within a segment, `**` for any number of whole segments.

/// Whether `path` (no leading slash) fits `pattern`.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    // The last byte decides most paths of a layer at once, the last segment nearly all others.
    let (end, path_end) = (pattern.as_bytes().last(), path.as_bytes().last());
    if end != path_end && end != Some(&b'*') {
        return false;
    }
    let last = |text: &str| text.rsplit('/').next().map(str::len).unwrap_or_default();
    let (pattern_last, path_last) =
        (&pattern[pattern.len() - last(pattern)..], &path[path.len() - last(path)..]);
    pattern_last != "**"
        && segment(pattern_last.as_bytes(), path_last.as_bytes())
        && segments(pattern, path)
}

fn segments(pattern: &str, path: &str) -> bool {
    let (first, rest) = match pattern.split_once('/') {
        Some((first, rest)) => (first, Some(rest)),
        None => (pattern, None),
    };
    if first == "**" {
        let Some(rest) = rest else { return true };
        let mut tail = Some(path);
        while let Some(here) = tail {
            if segments(rest, here) {
                return true;
            }
            tail = here.split_once('/').map(|(_, below)| below);
        }
        return false;
    }
    match (rest, path.split_once('/')) {
        (None, None) => segment(first.as_bytes(), path.as_bytes()),
        (Some(rest), Some((name, below))) => {
            segment(first.as_bytes(), name.as_bytes()) && segments(rest, below)
        }
        _ => false,
    }
}

fn segment(pattern: &[u8], name: &[u8]) -> bool {
    match pattern.split_first() {
        None => name.is_empty(),
        // Most patterns, and nearly all that match nothing.
        Some((b'*', rest)) if !rest.contains(&b'*') => name.ends_with(rest),
        Some((b'*', rest)) => (0..=name.len()).any(|skip| segment(rest, &name[skip..])),
        Some((byte, rest)) => {
            name.split_first().is_some_and(|(own, left)| own == byte && segment(rest, left))
        }
    }
}

#[test]
fn table() {
    #[track_caller]
    fn check(pattern: &str, path: &str, expected: bool) {
        assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
    }
    check("etc/os-release", "etc/os-release", true);
    check("etc/os-release", "x/etc/os-release", false);
    check("**/os-release", "os-release", true);
    check("**/os-release", "a/b/os-release", true);
    check("**/*.dist-info/METADATA", "usr/lib/a-1.dist-info/METADATA", true);
    check("**/*.dist-info/METADATA", "a-1.dist-info/METADATA", true);
    check("**/*.dist-info/METADATA", "a-1.dist-info/x/METADATA", false);
    check("**/*.dist-info/METADATA", "METADATA", false);
    check("**/dpkg/status.d/*", "var/lib/dpkg/status.d/base", true);
    check("**/dpkg/status.d/*", "var/lib/dpkg/status.d/a/b", false);
    check("a/*b*c", "a/xbyc", true);
    check("a/*b*c", "a/xcyb", false);
}

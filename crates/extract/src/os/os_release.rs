//! Which operating system: `os-release` files. Source: os-release(5).
use crate::facts::OsRelease;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "os-release",
    title: "Operating system release",
    // A release file that lies elsewhere is reached through a link of the right name.
    route: Route::Files(&["**/os-release", "**/*-os-release"]),
    max_bytes: 64 * KIB, // Real ones stay under 1 KiB.
    extract: Extract::Text(extract),
};

/// `KEY=VALUE` lines, the value quoted as in a shell. The last of several assignments counts.
fn extract(text: &str, found: &mut Found) {
    let mut release = OsRelease::default();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            found.note("malformed-os-release", format!("line {} is no KEY=VALUE", index + 1));
            continue;
        };
        let field = match key {
            "ID" => &mut release.id,
            "VERSION_ID" => &mut release.version_id,
            "PRETTY_NAME" => &mut release.pretty_name,
            _ => continue,
        };
        *field = Some(unquote(value)).filter(|value| !value.is_empty());
    }
    found.os_release = Some(release);
}

/// Shell quoting as os-release(5) permits it: one pair of quotes, backslash escapes outside single quotes.
fn unquote(value: &str) -> String {
    if let Some(inner) = value.strip_prefix('\'') {
        return inner.strip_suffix('\'').unwrap_or(inner).to_owned();
    }
    let inner = match value.strip_prefix('"') {
        Some(inner) => inner.strip_suffix('"').unwrap_or(inner),
        None => value,
    };
    let (mut plain, mut escaped) = (String::with_capacity(inner.len()), false);
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
            continue;
        }
        plain.push(character);
        escaped = false;
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, id: Option<&str>, version: Option<&str>, name: Option<&str>) {
        let release = EXTRACTOR.run(text.as_bytes()).os_release.unwrap();
        let actual =
            (release.id.as_deref(), release.version_id.as_deref(), release.pretty_name.as_deref());
        assert_eq!(actual, (id, version, name));
    }

    #[test]
    fn table() {
        let debian =
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nID=debian\n";
        check(debian, Some("debian"), Some("12"), Some("Debian GNU/Linux 12 (bookworm)"));
        check("ID='al pine'\nVERSION_ID=3.11\n# x\n", Some("al pine"), Some("3.11"), None);
        check("PRETTY_NAME=\"a \\\"b\\\" \\\\\"\r\nID=\n", None, None, Some("a \"b\" \\"));
        check("", None, None, None);
        check("no assignment\nID=x", Some("x"), None, None);
        check("ID=\"unfinished", Some("unfinished"), None, None);
    }
}

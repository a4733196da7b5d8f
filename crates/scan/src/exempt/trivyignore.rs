//! `.trivyignore` and `.trivyignore.yaml`. Source: trivy, "Filtering", `pkg/result/ignore.go`.
use super::entry::Entry;
use seawall_model::exemption::Category;
use seawall_model::problem::ProblemKind;
use seawall_model::{Millis, Problem};
use seawall_posture::exemption::{MAX_FILE, end};
use serde::Deserialize;
use serde_saphyr::Spanned;

/// Milliseconds: trivy's date is the first day that no longer holds, `until` the last that does.
const DAY: Millis = 86_400_000;

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    vulnerabilities: Vec<Spanned<Written>>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    purls: Vec<String>,
    expired_at: Option<String>,
    statement: Option<String>,
}

pub(super) fn read(file: &str, text: &str) -> Result<Vec<Entry>, Problem> {
    if text.len() > MAX_FILE {
        let message = format!("the ignore file is over {} MiB", MAX_FILE >> 20);
        return Err(Problem::error("ignore-file", message).file(file));
    }
    match file.ends_with(".yaml") || file.ends_with(".yml") {
        true => yaml(file, text),
        false => lines(file, text),
    }
}

fn yaml(file: &str, text: &str) -> Result<Vec<Entry>, Problem> {
    let place = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let parsed: File = serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location().map_or((1, 1), |at| (place(at.line()), place(at.column())));
        let message = error.without_snippet().to_string();
        Problem::error("ignore-file", message).file(file).at(at.0, at.1)
    })?;
    let entry = |written: Spanned<Written>| {
        let line = place(written.referenced.line());
        let Written { id, paths, purls, expired_at, statement } = written.value;
        let expires = expired_at.map(|date| expiry(&date, file, line)).transpose()?;
        let entry = plain(file, line, id);
        let reason = statement.filter(|own| !own.trim().is_empty()).unwrap_or(entry.reason);
        Ok(Entry { packages: purls, paths, expires, reason, ..entry })
    };
    parsed.vulnerabilities.into_iter().map(entry).collect()
}

fn lines(file: &str, text: &str) -> Result<Vec<Entry>, Problem> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line_number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(id) = words.next() else { continue };
        let mut entry = plain(file, line_number, id.to_owned());
        for date in words.filter_map(|word| word.strip_prefix("exp:")) {
            entry.expires = Some(expiry(date, file, line_number)?);
        }
        entries.push(entry);
    }
    Ok(entries)
}

fn expiry(date: &str, file: &str, line: u32) -> Result<Millis, Problem> {
    let moment = date.contains('T');
    let end = end(date)
        .map_err(|message| Problem::error("ignore-file", message).file(file).at(line, 1))?;
    Ok(if moment { end } else { end - DAY })
}

/// It may be about a misconfiguration, of which a scan of packages sees nothing: that it is unused is a note.
fn plain(file: &str, line: u32, id: String) -> Entry {
    Entry {
        id: format!("{file}:{line}"),
        flaw: Some(id),
        packages: Vec::new(),
        paths: Vec::new(),
        resource: None,
        category: Category::RiskAccepted,
        reason: format!("listed in {file}"),
        by: None,
        expires: None,
        place: Some((file.to_owned(), line)),
        unused: Some(ProblemKind::Note),
    }
}

#[test]
fn lines_name_flaws() {
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match read(".trivyignore", text) {
            Err(problem) => format!("{}: {}", problem.line.unwrap(), problem.message),
            Ok(entries) => {
                let entry =
                    |own: &Entry| format!("{} {:?}", own.flaw.as_ref().unwrap(), own.expires);
                entries.iter().map(entry).collect::<Vec<_>>().join(", ")
            }
        };
        assert_eq!(told, expected, "{text}");
    }
    check("# note\nCVE-1\n\n  CVE-2 exp:1970-01-02 # why\n", "CVE-1 None, CVE-2 Some(86400000)");
    check("CVE-1 exp:soon\n", "1: `soon` is no date such as 2030-01-31");
    check("", "");
}

#[test]
fn yaml_has_paths_and_purls() {
    let text = "vulnerabilities:\n- id: CVE-1\n  paths: [\"usr/**\"]\n  purls: [\"pkg:pypi/a\"]\n  statement: unused\n\
        misconfigurations:\n- id: AVD-1\n";
    let entries = read(".trivyignore.yaml", text).unwrap();
    assert_eq!((entries.len(), entries[0].paths.len(), entries[0].packages.len()), (1, 1, 1));
    assert!(read(".trivyignore.yaml", "vulnerabilities: 1\n").is_err());
}

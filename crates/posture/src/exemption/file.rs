//! `seawall-ignore.yaml`: a list `ignore:` of entries, one file for controls and vulnerabilities.
use super::{Element, Exemption, Exemptions};
use seawall_model::exemption::Category;
use seawall_model::{Millis, Problem};
use serde::Deserialize;
use serde_saphyr::Spanned;

/// Bytes of one file; a thousand entries take 200 KiB.
pub const MAX_FILE: usize = 4 << 20;

/// One day, in milliseconds: `until` includes its day.
const DAY: Millis = 86_400_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    ignore: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    control: Option<String>,
    namespace: Option<String>,
    resource: Option<String>,
    container: Option<String>,
    image: Option<String>,
    path: Option<String>,
    category: Option<Category>,
    reason: Option<String>,
    owner: Option<String>,
    until: Option<String>,
    /// Of flaws, which image scans read.
    id: Option<String>,
    package: Option<String>,
}

/// Reads an ignore file. Any mistake refuses the whole file, as half of its excuses would be taken for all. The second
/// part are warnings: entries that never end or that nobody answers for. Entries for vulnerabilities are passed over.
pub fn load(
    file: &str,
    text: &str,
    now: Millis,
) -> Result<(Exemptions, Vec<Problem>), Vec<Problem>> {
    let place = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    if text.len() > MAX_FILE {
        let message = format!("the ignore file is over {} MiB", MAX_FILE >> 20);
        return Err(vec![Problem::error("ignore-file", message).file(file)]);
    }
    let parsed: File = serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location().map_or((1, 1), |at| (place(at.line()), place(at.column())));
        let message = error.without_snippet().to_string();
        vec![Problem::error("ignore-file", message).file(file).at(at.0, at.1)]
    })?;
    let (mut entries, mut mistakes, mut warnings) = (Vec::new(), Vec::new(), Vec::new());
    for entry in parsed.ignore {
        let line = place(entry.referenced.line());
        let column = place(entry.referenced.column());
        let here = |problem: Problem| problem.file(file).at(line, column);
        match entry.value.exemption(file, line) {
            Ok(Some(exemption)) => {
                let missing: Vec<&str> =
                    [("owner", exemption.owner.is_none()), ("until", exemption.expires.is_none())]
                        .iter()
                        .filter(|(_, missing)| *missing)
                        .map(|(key, _)| *key)
                        .collect();
                if !missing.is_empty() {
                    let message = format!(
                        "the exemption of {} has no {}",
                        exemption.control,
                        missing.join(" and no ")
                    );
                    warnings.push(here(Problem::warning("exemption-open", message)));
                }
                entries.push(exemption);
            }
            Ok(None) => {}
            Err(message) => mistakes.push(here(Problem::error("ignore-file", message))),
        }
    }
    if mistakes.is_empty() { Ok((Exemptions::new(entries, now), warnings)) } else { Err(mistakes) }
}

impl Entry {
    /// `None` for one about flaws. `Err` says what is wrong.
    fn exemption(self, file: &str, line: u32) -> Result<Option<Exemption>, String> {
        let reason = self.reason.filter(|reason| !reason.trim().is_empty());
        let Some(reason) = reason else {
            return Err("an entry needs a reason".to_owned());
        };
        let expires = self.until.as_deref().map(end).transpose()?;
        let Some(control) = self.control else {
            return match self.id.is_some() || self.package.is_some() {
                true => Ok(None),
                false => Err("an entry names a control, or the id or package of a flaw".to_owned()),
            };
        };
        if self.id.is_some() || self.package.is_some() {
            return Err("an entry is about a control or about a flaw, not both".to_owned());
        }
        if control.trim().is_empty() || control.bytes().all(|byte| byte == b'*') {
            return Err("every control at once is no exemption".to_owned());
        }
        let elements = [
            self.path.map(Element::Path),
            self.container.map(Element::Container),
            self.image.map(Element::Image),
        ];
        let mut elements = elements.into_iter().flatten();
        let element = elements.next();
        if elements.next().is_some() {
            return Err("an entry has one of path, container and image".to_owned());
        }
        if let Some(Element::Path(path)) = &element
            && !path.starts_with('/')
        {
            return Err(format!("`{path}` is no JSON Pointer such as /spec/containers/0"));
        }
        Ok(Some(Exemption {
            id: format!("{file}:{line}"),
            control,
            namespace: self.namespace,
            resource: self.resource,
            element,
            category: self.category.unwrap_or(Category::RiskAccepted),
            reason,
            owner: self.owner,
            expires,
            place: Some((file.to_owned(), line)),
        }))
    }
}

/// The first moment that `until` no longer includes: the end of a day in UTC, or a moment of RFC 3339.
fn end(text: &str) -> Result<Millis, String> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Ok(moment.as_millisecond());
    }
    // A longer text is a moment without its zone, which would be read as a whole day.
    let date = (text.len() == "2030-01-31".len()).then(|| text.parse::<jiff::civil::Date>().ok());
    let midnight = date.flatten().and_then(|date| {
        let start = date.to_datetime(jiff::civil::Time::midnight());
        jiff::tz::Offset::UTC.to_timestamp(start).ok()
    });
    let midnight = midnight.ok_or_else(|| format!("`{text}` is no date such as 2030-01-31"))?;
    Ok(midnight.as_millisecond() + DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(problems: &[Problem]) -> String {
        let lines = problems.iter().map(|told| format!("{}: {}", told.line.unwrap(), told.message));
        lines.collect::<Vec<_>>().join("; ")
    }

    /// Loads with these warnings.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(told(&load("ignore.yaml", text, 0).unwrap().1), expected, "{text}");
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let mistakes = told(&load("ignore.yaml", text, 0).unwrap_err());
        assert!(mistakes.contains(expected), "{text}: {mistakes}");
    }

    #[test]
    fn an_invalid_file_is_refused_whole() {
        check("ignore: []\n", "");
        let good = "ignore:\n- {control: SW-C-0001, reason: r, owner: o, until: 2030-01-31}\n";
        check(good, "");
        check(
            "ignore:\n- {control: SW-C-0001, reason: r}\n",
            "2: the exemption of SW-C-0001 has no owner and no until",
        );
        check("ignore:\n- {id: CVE-2024-0001, package: openssl, reason: r}\n", "");
        for (text, told) in [
            ("", "1: "),
            ("x: 1\n", "1: unknown field `x`"),
            ("ignore: 1\n", "1: "),
            ("ignore:\n- [", "2: "),
            ("ignore:\n- {control: SW-C-0001}\n", "2: an entry needs a reason"),
            ("ignore:\n- {control: SW-C-0001, reason: \" \"}\n", "2: an entry needs a reason"),
            ("ignore:\n- {reason: r}\n", "2: an entry names a control"),
            ("ignore:\n- {control: \"*\", reason: r}\n", "2: every control at once"),
            ("ignore:\n- {control: a, id: b, reason: r}\n", "not both"),
            ("ignore:\n- {control: a, reason: r, until: soon}\n", "2: `soon` is no date"),
            ("ignore:\n- {control: a, reason: r, until: 2030-02-30}\n", "is no date"),
            ("ignore:\n- {control: a, reason: r, path: spec}\n", "`spec` is no JSON Pointer"),
            ("ignore:\n- {control: a, reason: r, path: /spec, image: b}\n", "one of path"),
            ("ignore:\n- {control: a, reason: r, category: fine}\n", "2: "),
            ("ignore:\n- {control: a, reason: r, control: b}\n", "2: "),
        ] {
            check_refused(text, told);
            // Beside a good entry, too.
            if let Some(entry) = text.strip_prefix("ignore:\n") {
                check_refused(&format!("{good}{entry}"), "");
            }
        }
    }

    #[test]
    fn moments_and_days() {
        for (text, expected) in [
            ("1970-01-01", Some(DAY)),
            ("1970-01-01T00:00:01Z", Some(1_000)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1970-01-01T00:00:01", None),
            ("1970-1-1", None),
            ("tomorrow", None),
        ] {
            assert_eq!(end(text).ok(), expected, "{text}");
        }
    }
}

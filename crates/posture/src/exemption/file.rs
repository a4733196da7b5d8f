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

/// An entry as it is written, about a control or about a flaw.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub control: Option<String>,
    pub namespace: Option<String>,
    pub resource: Option<String>,
    pub container: Option<String>,
    pub image: Option<String>,
    /// JSON Pointer of a control's element; glob of where a flawed package lies.
    pub path: Option<String>,
    pub category: Option<Category>,
    pub reason: Option<String>,
    pub owner: Option<String>,
    pub until: Option<String>,
    /// Of flaws, which image scans read.
    pub id: Option<String>,
    pub package: Option<String>,
}

/// What every entry has, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excuse {
    pub category: Category,
    pub reason: String,
    pub owner: Option<String>,
    /// The first moment it no longer holds.
    pub expires: Option<Millis>,
}

/// Reads an ignore file. Any mistake refuses the whole file, as half of its excuses would be taken for all. The second
/// part are warnings: entries that never end or that nobody answers for. Entries for vulnerabilities are passed over,
/// but not their mistakes.
pub fn load(
    file: &str,
    text: &str,
    now: Millis,
) -> Result<(Exemptions, Vec<Problem>), Vec<Problem>> {
    let read = read(file, text, |entry, excuse, line| entry.exemption(excuse, file, line))?;
    Ok((Exemptions::new(read.entries, now), read.warnings))
}

/// What one kind of entries came to.
#[derive(Clone, Debug)]
pub struct Read<T> {
    pub entries: Vec<T>,
    /// Entries of that kind that never end or that nobody answers for.
    pub warnings: Vec<Problem>,
}

/// Reads an ignore file as [`load`] does, for either kind. `make` gets each entry, what all have, and its 1-based line:
/// `None` passes an entry of the other kind over, `Err` says what is wrong with it.
pub fn read<T>(
    file: &str,
    text: &str,
    make: impl Fn(&Entry, Excuse, u32) -> Result<Option<T>, String>,
) -> Result<Read<T>, Vec<Problem>> {
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
        let excuse = entry.value.excuse();
        let open = excuse.as_ref().ok().and_then(|excuse| open(entry.value.subject(), excuse));
        match excuse.and_then(|excuse| make(&entry.value, excuse, line)) {
            Ok(Some(made)) => {
                entries.push(made);
                warnings
                    .extend(open.map(|message| here(Problem::warning("exemption-open", message))));
            }
            Ok(None) => {}
            Err(message) => mistakes.push(here(Problem::error("ignore-file", message))),
        }
    }
    if mistakes.is_empty() { Ok(Read { entries, warnings }) } else { Err(mistakes) }
}

/// What an entry should say and does not.
fn open(subject: &str, excuse: &Excuse) -> Option<String> {
    let missing = [("owner", excuse.owner.is_none()), ("until", excuse.expires.is_none())];
    let missing: Vec<&str> =
        missing.iter().filter(|(_, missing)| *missing).map(|(key, _)| *key).collect();
    (!missing.is_empty())
        .then(|| format!("the exemption of {subject} has no {}", missing.join(" and no ")))
}

impl Entry {
    /// Control, flaw or package: what it is about.
    pub fn subject(&self) -> &str {
        [&self.control, &self.id, &self.package].into_iter().flatten().next().map_or("", |own| own)
    }

    /// What every entry needs. `Err` says what is wrong.
    fn excuse(&self) -> Result<Excuse, String> {
        let reason = self.reason.clone().filter(|reason| !reason.trim().is_empty());
        let reason = reason.ok_or("an entry needs a reason")?;
        let expires = self.until.as_deref().map(end).transpose()?;
        let of_flaw = self.id.is_some() || self.package.is_some();
        match (self.control.is_some(), of_flaw) {
            (false, false) => {
                return Err("an entry names a control, or the id or package of a flaw".to_owned());
            }
            (true, true) => {
                return Err("an entry is about a control or about a flaw, not both".to_owned());
            }
            _ => {}
        }
        Ok(Excuse {
            category: self.category.unwrap_or(Category::RiskAccepted),
            reason,
            owner: self.owner.clone(),
            expires,
        })
    }

    /// `None` for one about flaws. `Err` says what is wrong.
    fn exemption(
        &self,
        excuse: Excuse,
        file: &str,
        line: u32,
    ) -> Result<Option<Exemption>, String> {
        let Some(control) = self.control.clone() else { return Ok(None) };
        if control.trim().is_empty() || control.bytes().all(|byte| byte == b'*') {
            return Err("every control at once is no exemption".to_owned());
        }
        let elements = [
            self.path.clone().map(Element::Path),
            self.container.clone().map(Element::Container),
            self.image.clone().map(Element::Image),
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
            namespace: self.namespace.clone(),
            resource: self.resource.clone(),
            element,
            category: excuse.category,
            reason: excuse.reason,
            owner: excuse.owner,
            expires: excuse.expires,
            place: Some((file.to_owned(), line)),
        }))
    }
}

/// The first moment that `until` no longer includes: the end of a day in UTC, or a moment of RFC 3339.
pub fn end(text: &str) -> Result<Millis, String> {
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
            ("ignore:\n- {id: CVE-1}\n", "2: an entry needs a reason"),
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

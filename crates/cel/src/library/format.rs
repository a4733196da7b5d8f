//! `format.<name>()`: named formats that a string can be validated against, with the API server's messages.
//! Source: k8s.io/apiserver/pkg/cel/library/format.go at 1.36, the rules of apimachinery's validation and of strfmt.
pub(super) mod functions;

use super::url;
use std::fmt;
use std::sync::LazyLock;

/// A named format. Two are equal where their names are.
pub(crate) struct Format {
    /// As `format.<name>()` and `format.named(<name>)` spell it.
    pub(crate) name: &'static str,
    /// Bytes of the regular expression that stands for the check in its cost.
    pub(crate) regex_size: usize,
    violations: fn(&str) -> Vec<String>,
}

/// A format as a value of CEL.
#[derive(Clone, Copy)]
pub(crate) struct Named(pub(crate) &'static Format);

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Format) -> bool {
        self.name == other.name
    }
}

impl Format {
    pub(crate) fn named(name: &str) -> Option<&'static Format> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// What is wrong with the text; empty for a valid one.
    pub(crate) fn validate(&self, text: &str) -> Vec<String> {
        (self.violations)(text)
    }
}

const UUID: &str = "(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$";
const DATE_TIME: &str = "^([0-9]{2}):([0-9]{2}):([0-9]{2})(.[0-9]+)?(z|([+-][0-9]{2}:[0-9]{2}))$";

pub(crate) static FORMATS: &[Format] = &[
    Format { name: "dns1123Label", regex_size: 30, violations: dns1123_label },
    Format { name: "dns1123Subdomain", regex_size: 60, violations: dns1123_subdomain },
    Format { name: "dns1035Label", regex_size: 30, violations: dns1035_label },
    Format { name: "qualifiedName", regex_size: 60, violations: qualified_name },
    Format {
        name: "dns1123LabelPrefix",
        regex_size: 30,
        violations: |text| dns1123_label(&as_prefix(text)),
    },
    Format {
        name: "dns1123SubdomainPrefix",
        regex_size: 60,
        violations: |text| dns1123_subdomain(&as_prefix(text)),
    },
    Format {
        name: "dns1035LabelPrefix",
        regex_size: 30,
        violations: |text| dns1035_label(&as_prefix(text)),
    },
    Format { name: "labelValue", regex_size: 40, violations: label_value },
    Format {
        name: "uri",
        regex_size: 1103, // the length of a URL pattern that the server does not use, but charges for
        violations: |text| url::is_request_uri(text).err().into_iter().collect(),
    },
    Format {
        name: "uuid",
        regex_size: UUID.len(),
        violations: |text| unless(is_uuid(text), "does not match the UUID format"),
    },
    Format {
        name: "byte",
        regex_size: 84,
        violations: |text| unless(is_base64(text), "invalid base64"),
    },
    Format {
        name: "date",
        regex_size: DATE_TIME.len(),
        violations: |text| unless(is_date(text), "invalid date"),
    },
    Format {
        name: "datetime",
        regex_size: DATE_TIME.len(),
        violations: |text| unless(is_date_time(text), "invalid datetime"),
    },
];

fn unless(valid: bool, violation: &str) -> Vec<String> {
    if valid { Vec::new() } else { vec![violation.to_owned()] }
}

const LABEL: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS1035: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const KEY: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const LABEL_BYTES: usize = 63;
const SUBDOMAIN_BYTES: usize = 253;

pub(super) fn dns1123_label(text: &str) -> Vec<String> {
    let mut violations = too_long(text, LABEL_BYTES, "characters");
    if !is_label(text) {
        violations.push(if is_subdomain(text) {
            "must not contain dots".into()
        } else {
            let rule = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', \
                        and must start and end with an alphanumeric character";
            pattern(rule, LABEL, &["my-name", "123-abc"])
        });
    }
    violations
}

pub(super) fn dns1123_subdomain(text: &str) -> Vec<String> {
    subdomain(text, "characters")
}

/// `unit` is how the message counts; two copies of this rule in Kubernetes differ there alone.
fn subdomain(text: &str, unit: &str) -> Vec<String> {
    let mut violations = too_long(text, SUBDOMAIN_BYTES, unit);
    if !is_subdomain(text) {
        let rule = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                    and must start and end with an alphanumeric character";
        violations.push(pattern(rule, &format!("{LABEL}(\\.{LABEL})*"), &["example.com"]));
    }
    violations
}

fn dns1035_label(text: &str) -> Vec<String> {
    let mut violations = too_long(text, LABEL_BYTES, "characters");
    if !is_label(text) || text.starts_with(|letter: char| letter.is_ascii_digit()) {
        let rule = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', \
                    start with an alphabetic character, and end with an alphanumeric character";
        violations.push(pattern(rule, DNS1035, &["my-name", "abc-123"]));
    }
    violations
}

const KEY_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', \
                        and must start and end with an alphanumeric character";
const KEY_EXAMPLES: &[&str] = &["MyName", "my.name", "123-abc"];

fn qualified_name(text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let parts: Vec<&str> = text.split('/').collect();
    let name = match parts[..] {
        [name] => name,
        ["", name] => {
            violations.push("prefix part must be non-empty".into());
            name
        }
        [prefix, name] => {
            let wrong = subdomain(prefix, "bytes");
            violations.extend(wrong.iter().map(|violation| format!("prefix part {violation}")));
            name
        }
        _ => {
            let rule = pattern(KEY_RULE, KEY, KEY_EXAMPLES);
            return vec![format!(
                "a valid label key {rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    if name.is_empty() {
        violations.push("name part must be non-empty".into());
    }
    let too_long = too_long(name, LABEL_BYTES, "bytes");
    violations.extend(too_long.iter().map(|violation| format!("name part {violation}")));
    if !is_key(name) {
        violations.push(format!("name part {}", pattern(KEY_RULE, KEY, KEY_EXAMPLES)));
    }
    violations
}

fn label_value(text: &str) -> Vec<String> {
    let mut violations = too_long(text, LABEL_BYTES, "bytes");
    if !text.is_empty() && !is_key(text) {
        let rule = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', \
                    and must start and end with an alphanumeric character";
        violations.push(pattern(rule, &format!("({KEY})?"), &["MyValue", "my_value", "12345"]));
    }
    violations
}

fn too_long(text: &str, most: usize, unit: &str) -> Vec<String> {
    unless(text.len() <= most, &format!("must be no more than {most} {unit}"))
}

fn pattern(rule: &str, regex: &str, examples: &[&str]) -> String {
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{regex}')", examples.join(" or "))
}

/// A name that more is appended to: a dash may end it. The API server drops the letter before the dash as well.
fn as_prefix(text: &str) -> String {
    match text.as_bytes() {
        [before @ .., _, b'-'] => String::from_utf8_lossy(&[before, b"a"].concat()).into_owned(),
        _ => text.to_owned(),
    }
}

fn is_label(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    framed(text, letter, |byte| letter(byte) || byte == b'-')
}

fn is_subdomain(text: &str) -> bool {
    text.split('.').all(is_label)
}

fn is_key(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric();
    framed(text, letter, |byte| letter(byte) || b"-_.".contains(&byte))
}

/// Whether a text has `edge` bytes first and last, `inner` ones between.
fn framed(text: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    match text.as_bytes() {
        [] => false,
        [only] => edge(*only),
        [first, middle @ .., last] => {
            edge(*first) && edge(*last) && middle.iter().all(|byte| inner(*byte))
        }
    }
}

static UUID_REGEX: LazyLock<regex::Regex> =
    LazyLock::new(|| ::regex::Regex::new(UUID).expect("a constant pattern"));

fn is_uuid(text: &str) -> bool {
    UUID_REGEX.is_match(text)
}

/// Padded, in groups of four, at least one.
fn is_base64(text: &str) -> bool {
    let body = text.strip_suffix("==").or_else(|| text.strip_suffix('=')).unwrap_or(text);
    let letters = body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte));
    !text.is_empty() && text.len().is_multiple_of(4) && letters
}

/// `YYYY-MM-DD`, with a day that exists.
fn is_date(text: &str) -> bool {
    let digits = |range: std::ops::Range<usize>| -> Option<u32> {
        let part = text.get(range)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(5..7), digits(8..10)) else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

static TIME_REGEX: LazyLock<regex::Regex> =
    LazyLock::new(|| ::regex::Regex::new(DATE_TIME).expect("a constant pattern"));

/// What follows a second `t` is never read, as in strfmt.
fn is_date_time(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut parts = lower.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date)
        && TIME_REGEX
            .captures(time)
            .is_some_and(|found| &found[1] <= "23" && &found[2] <= "59" && &found[3] <= "59")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[&str]) {
        let got = Format::named(name).unwrap().validate(text);
        assert_eq!(got.len(), expected.len(), "{name} {text}: {got:?}");
        for (got, expected) in got.iter().zip(expected) {
            assert!(got.starts_with(expected), "{name} {text}: {got}");
        }
    }

    #[test]
    fn names_of_dns() {
        check("dns1123Label", "my-name", &[]);
        check("dns1123Label", "my.name", &["must not contain dots"]);
        check("dns1123Label", "A", &["a lowercase RFC 1123 label must"]);
        check("dns1123Label", "-", &["a lowercase RFC 1123 label must"]);
        check("dns1123Label", "", &["a lowercase RFC 1123 label must"]);
        check("dns1123Label", &"a".repeat(64), &["must be no more than 63 characters"]);
        check("dns1123LabelPrefix", "my-", &[]);
        check("dns1123LabelPrefix", "-", &["a lowercase RFC 1123 label must"]);
        check("dns1123Subdomain", "a.b-c.d", &[]);
        check("dns1123Subdomain", "a..b", &["a lowercase RFC 1123 subdomain must"]);
        check("dns1123Subdomain", &"a".repeat(254), &["must be no more than 253 characters"]);
        check("dns1123SubdomainPrefix", "a.b-", &[]);
        check("dns1035Label", "a1", &[]);
        check("dns1035Label", "1a", &["a DNS-1035 label must"]);
        check("dns1035LabelPrefix", "a1-", &[]);
    }

    #[test]
    fn labels() {
        check("qualifiedName", "example.com/My_name.1", &[]);
        check("qualifiedName", "/x", &["prefix part must be non-empty"]);
        check(
            "qualifiedName",
            "A/",
            &["prefix part a lower", "name part must be n", "name part must c"],
        );
        check("qualifiedName", "a/b/c", &["a valid label key must consist"]);
        check("qualifiedName", &"a".repeat(64), &["name part must be no more than 63 bytes"]);
        check("labelValue", "", &[]);
        check("labelValue", "a b", &["a valid label must be an empty string"]);
    }

    #[test]
    fn strings_of_openapi() {
        check("uri", "https://a", &[]);
        check("uri", "a", &["parse \"a\": invalid URI for request"]);
        check("uuid", "123E4567-e89b-12d3-a456-426614174000", &[]);
        check("uuid", "123e4567e89b12d3a456426614174000", &[]);
        check("uuid", "123e4567", &["does not match the UUID format"]);
        check("byte", "aGk=", &[]);
        check("byte", "", &["invalid base64"]);
        check("byte", "aGk", &["invalid base64"]);
        check("byte", "a===", &["invalid base64"]);
        check("date", "2024-02-29", &[]);
        check("date", "2023-02-29", &["invalid date"]);
        check("date", "2023-2-9", &["invalid date"]);
        check("datetime", "2024-02-29T23:59:59.5Z", &[]);
        check("datetime", "2024-02-29t23:59:59+01:00", &[]);
        check("datetime", "2024-02-29T24:00:00Z", &["invalid datetime"]);
        check("datetime", "2024-02-29T00:00:60Z", &["invalid datetime"]);
        check("datetime", "2024-02-29", &["invalid datetime"]);
    }

    #[test]
    fn messages_are_those_of_the_api_server() {
        let of = |name: &str, text| Format::named(name).unwrap().validate(text).join("; ");
        check_end(
            &of("dns1123Label", "A"),
            "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
        );
        check_end(
            &of("labelValue", "-"),
            "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
        );
    }

    #[track_caller]
    fn check_end(got: &str, end: &str) {
        assert!(got.ends_with(end), "{got}");
    }
}

//! Framework files: versions, the parameters they bind, and what they include. Members are the controls that name them.
use seawall_model::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// A named set of controls that users assign.
#[derive(Clone, Debug)]
pub struct Framework {
    /// `pss-restricted`.
    pub name: String,
    pub title: String,
    /// Where the framework is published.
    pub source: String,
    /// Its versions are those of Kubernetes.
    pub kubernetes: bool,
    /// Frameworks whose members are its members too.
    pub includes: Vec<String>,
    /// Section number to its subject, in our words.
    pub sections: BTreeMap<String, String>,
    /// Oldest first.
    versions: Vec<Span>,
}

/// Versions that differ in nothing, both ends included.
#[derive(Clone, Debug)]
struct Span {
    from: String,
    to: String,
    params: BTreeMap<String, Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Spanned<String>,
    title: String,
    source: String,
    #[serde(default)]
    kubernetes: bool,
    #[serde(default)]
    includes: Vec<String>,
    #[serde(default)]
    sections: BTreeMap<String, String>,
    versions: Vec<SpanFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SpanFile {
    from: String,
    to: Option<String>,
    #[serde(default)]
    params: BTreeMap<String, Map<String, Value>>,
}

/// Reads one framework file. The name must be the file's.
pub(crate) fn load(file: &str, text: &str) -> Result<Framework, Box<Problem>> {
    let place = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    let parsed: File = serde_saphyr::from_str(text).map_err(|error| {
        let at = error.location().map_or((1, 1), |at| (place(at.line()), place(at.column())));
        Box::new(
            Problem::error("framework", error.without_snippet().to_string())
                .file(file)
                .at(at.0, at.1),
        )
    })?;
    let stem = file.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
    if stem != Some(parsed.name.value.as_str()) || parsed.versions.is_empty() {
        let at = parsed.name.referenced;
        let message = "a framework has its file's name and at least one version";
        let problem = Problem::error("framework", message).file(file);
        return Err(Box::new(problem.at(place(at.line()), place(at.column()))));
    }
    let versions = parsed.versions.into_iter().map(|span| Span {
        to: span.to.unwrap_or_else(|| span.from.clone()),
        from: span.from,
        params: span.params,
    });
    Ok(Framework {
        name: parsed.name.value,
        title: parsed.title,
        source: parsed.source,
        kubernetes: parsed.kubernetes,
        includes: parsed.includes,
        sections: parsed.sections,
        versions: versions.collect(),
    })
}

impl Framework {
    /// The version taken where none is named.
    pub fn newest(&self) -> &str {
        self.versions.last().map_or("", |span| &span.to)
    }

    /// The version for objects meant for that Kubernetes version, where this framework goes by them and has it.
    pub fn for_kubernetes<'v>(&self, kubernetes: Option<&'v str>) -> Option<&'v str> {
        kubernetes.filter(|version| self.kubernetes && self.has_version(version))
    }

    /// Whether there is such a version; a leading `v` is not part of it.
    pub fn has_version(&self, version: &str) -> bool {
        self.span(version).is_some()
    }

    /// Parameters the version binds for a control.
    pub fn params(&self, version: &str, control: &str) -> Option<&Map<String, Value>> {
        self.span(version)?.params.get(control)
    }

    fn span(&self, version: &str) -> Option<&Span> {
        let version = version.strip_prefix('v').unwrap_or(version);
        self.versions.iter().find(|span| {
            compare(version, &span.from).is_some_and(Ordering::is_ge)
                && compare(version, &span.to).is_some_and(Ordering::is_le)
        })
    }
}

/// `1.36` of `v1.36.3` or `1.36+`: the version of Kubernetes that frameworks go by.
pub fn minor(version: &str) -> Option<String> {
    let mut parts = version.trim_start_matches('v').split('.');
    let (major, minor) = (parts.next()?, parts.next()?);
    let minor: String = minor.chars().take_while(char::is_ascii_digit).collect();
    (!minor.is_empty()).then(|| format!("{major}.{minor}"))
}

/// Orders dotted numbers; words are equal to themselves and ordered with nothing.
fn compare(a: &str, b: &str) -> Option<Ordering> {
    let numbers = |text: &str| {
        text.split('.').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>()
    };
    match (numbers(a), numbers(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => (a == b).then_some(Ordering::Equal),
    }
}

#[test]
fn versions_are_ranges() {
    let text = "name: x\ntitle: X\nsource: https://example.test\nversions:\n- {from: \"1.0\", to: \"1.24\", params: {SW-C-0017: {windowsExempt: false}}}\n- {from: \"1.25\", to: \"1.37\"}\n";
    let framework = load("frameworks/x.yaml", text).unwrap();
    let bound = |version| {
        framework
            .params(version, "SW-C-0017")
            .and_then(|params| params.get("windowsExempt"))
            .cloned()
    };
    assert_eq!(bound("1.9"), Some(Value::Bool(false)));
    assert_eq!(bound("v1.24"), Some(Value::Bool(false)));
    assert_eq!(bound("1.25"), None);
    assert!(
        framework.has_version("1.37")
            && !framework.has_version("1.38")
            && !framework.has_version("current")
    );
    assert_eq!(framework.newest(), "1.37");
    let error = load("frameworks/y.yaml", text).unwrap_err();
    assert_eq!((error.line, error.column), (Some(1), Some(7)));
}

#[test]
fn versions_are_cut_to_their_minor() {
    for (version, expected) in [
        ("v1.36.3", Some("1.36")),
        ("v1.29.3-gke.100", Some("1.29")),
        ("1.30+", Some("1.30")),
        ("x", None),
    ] {
        assert_eq!(minor(version).as_deref(), expected);
    }
}

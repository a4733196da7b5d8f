//! Canonical's OpenVEX documents: one for each CVE, with what is said of every package in every release and channel.
//! Source: OpenVEX 0.2.0; the texts stand for states of Canonical's tracker.
use super::release::place;
use crate::export::MALFORMED;
use crate::records::{is_cve, title};
use packageurl::PackageUrl;
use seawall_model::finding::FixStatus;
use serde::Deserialize;
use std::borrow::Cow;
use std::str::FromStr;

/// What a document says of one source package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// `22.04`.
    pub(super) release: String,
    pub(super) channel: Option<String>,
    pub(super) package: String,
    /// The one in the archive when it was said.
    pub(super) version: String,
    pub(super) said: Said,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Affected(FixStatus),
    Fixed,
    /// And why.
    NotAffected(String),
    Investigated,
}

/// Of one flaw.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) cve: String,
    pub(super) title: Option<String>,
    pub(super) statements: Vec<Statement>,
    /// Products of releases that nobody here knows.
    pub(super) unplaced: u64,
}

#[derive(Deserialize)]
struct OpenVex<'a> {
    #[serde(borrow)]
    statements: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
struct Raw<'a> {
    vulnerability: Vulnerability,
    #[serde(borrow)]
    products: Vec<Product<'a>>,
    status: String,
    impact_statement: Option<String>,
    action_statement: Option<String>,
}

#[derive(Deserialize)]
struct Vulnerability {
    name: String,
    description: Option<String>,
}

#[derive(Deserialize)]
struct Product<'a> {
    #[serde(rename = "@id", borrow)]
    id: Cow<'a, str>,
}

/// The error is the class the document is counted under.
pub(super) fn parse(text: &[u8]) -> Result<Document, &'static str> {
    let document: OpenVex<'_> = serde_json::from_slice(text).map_err(|_| MALFORMED)?;
    let first = document.statements.first().ok_or("no statement")?;
    let cve = first.vulnerability.name.clone();
    if !is_cve(&cve) {
        // Notices repeat what the documents of their CVEs say.
        return Err("no CVE");
    }
    let title = first.vulnerability.description.as_deref().and_then(title);
    let (mut statements, mut unplaced) = (Vec::new(), 0);
    for raw in &document.statements {
        let said = said(raw)?;
        // Advisories are keyed by source.
        for product in raw.products.iter().filter(|product| product.id.contains("arch=source")) {
            let purl = PackageUrl::from_str(&product.id).map_err(|_| MALFORMED)?;
            let distro = purl.qualifiers().get("distro").map(|text| place(text));
            let (Some(Some((release, channel))), Some(version)) = (distro, purl.version()) else {
                unplaced += 1;
                continue;
            };
            statements.push(Statement {
                release: release.to_owned(),
                channel,
                package: purl.name().to_owned(),
                version: version.to_owned(),
                said: said.clone(),
            });
        }
    }
    match statements.is_empty() {
        true => Err("no source package of a known release"),
        false => Ok(Document { cve, title, statements, unplaced }),
    }
}

fn said(raw: &Raw<'_>) -> Result<Said, &'static str> {
    let text = |text: &Option<String>| text.as_deref().unwrap_or_default().trim().to_owned();
    Ok(match raw.status.as_str() {
        "affected" => Said::Affected(unfixed(raw.action_statement.as_deref().unwrap_or_default())),
        "fixed" => Said::Fixed,
        "not_affected" => Said::NotAffected(text(&raw.impact_statement)),
        "under_investigation" => Said::Investigated,
        _ => return Err(MALFORMED),
    })
}

/// `needed` and `pending` bring a fix, `deferred` later, `ignored` never. What is noted behind tells of other releases.
fn unfixed(action: &str) -> FixStatus {
    let action = action.split("CVE Notes").next().unwrap_or_default();
    match action {
        own if own.contains("no longer supported") => FixStatus::EndOfLife,
        own if own.contains("decided to not fix") => FixStatus::WillNotFix,
        own if own.contains("deferred") || own.contains("postponed") => FixStatus::Deferred,
        _ => FixStatus::None,
    }
}

#[test]
fn actions_tell_states() {
    for (action, expected) in [
        ("This package (for the given release) is no longer supported.", FixStatus::EndOfLife),
        (
            "… but the Ubuntu Security Team decided to not fix it. CVE Notes: x",
            FixStatus::WillNotFix,
        ),
        ("… is vulnerable, but its fix has been deferred.", FixStatus::Deferred),
        ("… is vulnerable. CVE Notes / justification: will be deferred", FixStatus::None),
        ("", FixStatus::None),
    ] {
        assert_eq!(unfixed(action), expected, "{action}");
    }
}

//! One excuse of a file or of the hub, and what it fits.
use super::purl;
use seawall_model::exemption::Category;
use seawall_model::finding::{ExemptionRef, VulnFinding};
use seawall_model::problem::ProblemKind;
use seawall_model::{Millis, Problem};
use seawall_posture::exemption::word;
use seawall_posture::glob;

/// Every given part has to fit; of a list one, of paths all that show the package.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where it stands, `FILE:LINE`, or its id in the hub.
    pub(super) id: String,
    /// Glob of the flaw's id or any of its other names.
    pub(super) flaw: Option<String>,
    /// Globs of name or purl; a purl without stars fits as VEX's do.
    pub(super) packages: Vec<String>,
    /// Globs.
    pub(super) paths: Vec<String>,
    /// Glob of the target's name.
    pub(super) resource: Option<String>,
    pub(super) category: Category,
    pub(super) reason: String,
    pub(super) by: Option<String>,
    /// The first moment it no longer holds.
    pub(super) expires: Option<Millis>,
    /// File and 1-based line, where it has them.
    pub(super) place: Option<(String, u32)>,
    /// What it is worth telling that it excused nothing; `None`: it holds for much else.
    pub(super) unused: Option<ProblemKind>,
}

impl Entry {
    pub(super) fn fits(&self, finding: &VulnFinding, target: &str) -> bool {
        let package = &finding.package;
        let names = || [&finding.id].into_iter().chain(&finding.aliases);
        let flaw = |pattern: &String| names().any(|name| glob::fits(pattern, name));
        let of_package = |pattern: &String| match pattern.starts_with("pkg:") {
            true => glob::fits(pattern, &package.purl) || purl::covers(pattern, &package.purl),
            false => {
                glob::fits(pattern, &package.name)
                    || package.origin.as_deref().is_some_and(|origin| glob::fits(pattern, origin))
            }
        };
        let of_path = |place: &String| {
            self.paths.iter().any(|pattern| glob::fits(pattern.trim_start_matches('/'), place))
        };
        // A package at a second place, which nobody excused, is still there.
        let everywhere = !package.locations.is_empty() && package.locations.iter().all(of_path);
        self.flaw.as_ref().is_none_or(flaw)
            && (self.packages.is_empty() || self.packages.iter().any(of_package))
            && (self.paths.is_empty() || everywhere)
            && self.resource.as_deref().is_none_or(|pattern| glob::fits(pattern, target))
    }

    pub(super) fn reference(&self) -> ExemptionRef {
        ExemptionRef {
            id: self.id.clone(),
            category: word(self.category).to_owned(),
            reason: self.reason.clone(),
            by: self.by.clone(),
            expires: self.expires,
        }
    }

    /// That it has expired, or excused nothing.
    pub(super) fn problem(&self, used: bool, now: Millis) -> Option<Problem> {
        let subject = self.flaw.as_ref().or(self.packages.first()).map_or("all", |own| own);
        let problem = if self.expires.is_some_and(|expires| now >= expires) {
            let owner = self.by.as_ref().map(|by| format!(", ask {by}")).unwrap_or_default();
            let message = format!("the exemption of {subject} has expired{owner}");
            Problem::warning("exemption-expired", message)
                .help("heal the finding, or renew the exemption with a new date")
        } else {
            let kind = self.unused.filter(|_| !used)?;
            let message = format!("the exemption of {subject} excuses nothing");
            Problem::new(kind, "exemption-unused", message).help("remove it")
        };
        Some(match &self.place {
            Some((file, line)) => problem.file(file).at(*line, 1),
            None => problem.item(&self.id),
        })
    }
}

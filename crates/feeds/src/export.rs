//! What a feed holds, before segments are cut from it.
use crate::report::FileReport;
use seawall_model::Millis;
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use std::collections::{BTreeMap, BTreeSet};

/// Per cent of malformed records at which a file is taken for damaged.
const MALFORMED_PER_CENT: u64 = 1;

pub(crate) const MALFORMED: &str = "malformed";
pub(crate) const DUPLICATE: &str = "duplicate record";

/// An ecosystem, or one release of it.
pub(crate) type Part = (Ecosystem, Option<String>);

/// Everything a base holds.
#[derive(Debug, Default)]
pub(crate) struct Export {
    pub(crate) advisories: Vec<Advisory>,
    pub(crate) files: Vec<FileReport>,
    /// Ecosystems some file speaks of: those the index is asked to hold.
    pub(crate) asked: BTreeSet<Ecosystem>,
    /// What a refused file speaks of or is named after: earlier segments of it stay.
    pub(crate) refused: BTreeMap<Part, String>,
    /// Red Hat's repositories and the CPEs of the products each belongs to.
    pub(crate) products: Option<BTreeMap<String, Vec<String>>>,
}

impl Export {
    /// Takes what one file gave; `of` is what it speaks of whether or not records tell. A file that is damaged or
    /// empty gives nothing, and what it speaks of is refused.
    pub(crate) fn add(&mut self, mut file: FileReport, of: &[Part], advisories: Vec<Advisory>) {
        file.refuse_if_malformed();
        if advisories.is_empty() && !of.is_empty() && file.refused.is_none() {
            file.refused = Some("none of its records is left".to_owned());
        }
        let told = advisories.iter().flat_map(|advisory| &advisory.affected);
        let mut parts: BTreeSet<Part> = of.iter().cloned().collect();
        if of.is_empty() {
            parts.extend(told.map(|entry| (entry.ecosystem, None)));
        }
        self.asked.extend(parts.iter().map(|(ecosystem, _)| *ecosystem));
        match &file.refused {
            Some(reason) => {
                let reason = format!("{}: {reason}", file.path);
                self.refused.extend(parts.into_iter().map(|part| (part, reason.clone())));
            }
            None => self.advisories.extend(advisories),
        }
        self.files.push(file);
    }

    /// Takes files that gave `advisories` together: if one of them is refused none of it counts.
    pub(crate) fn add_together(
        &mut self,
        mut files: Vec<FileReport>,
        of: Ecosystem,
        advisories: Vec<Advisory>,
    ) {
        files.iter_mut().for_each(FileReport::refuse_if_malformed);
        let refused = files.iter().any(|file| file.refused.is_some());
        let mut advisories = Some(advisories).filter(|_| !refused);
        let whole = [(of, None)];
        for (place, file) in files.into_iter().enumerate() {
            // What they gave stands with the first; where nothing is left that is said of it.
            let speaks = file.refused.is_some() || (place == 0 && !refused);
            let parts: &[Part] = if speaks { &whole } else { &[] };
            self.add(file, parts, advisories.take().filter(|_| place == 0).unwrap_or_default());
        }
    }

    pub(crate) fn refuses(&self, ecosystem: Ecosystem, release: Option<&str>) -> bool {
        self.refused.contains_key(&(ecosystem, None))
            || self.refused.contains_key(&(ecosystem, release.map(str::to_owned)))
    }

    /// Newest record, epoch milliseconds.
    pub(crate) fn newest(&self) -> Option<Millis> {
        self.advisories.iter().filter_map(newest).max()
    }

    /// The advisories of each ecosystem and release.
    pub(crate) fn groups(&self) -> BTreeMap<(Ecosystem, Option<&str>), Vec<&Advisory>> {
        let mut groups: BTreeMap<(Ecosystem, Option<&str>), Vec<&Advisory>> = BTreeMap::new();
        for advisory in &self.advisories {
            let entries = advisory.affected.iter();
            let named: BTreeSet<_> =
                entries.map(|entry| (entry.ecosystem, entry.release.as_deref())).collect();
            for group in named {
                groups.entry(group).or_default().push(advisory);
            }
        }
        groups.retain(|(ecosystem, release), _| !self.refuses(*ecosystem, *release));
        groups
    }
}

/// When it last changed, epoch milliseconds.
pub(crate) fn newest(advisory: &Advisory) -> Option<Millis> {
    advisory.modified.max(advisory.published)
}

impl FileReport {
    /// More than one per cent of malformed records means a damaged file, not a few bad authors.
    pub(crate) fn refuse_if_malformed(&mut self) {
        let malformed = self.drops.get(MALFORMED).copied().unwrap_or_default();
        if self.refused.is_none() && malformed * 100 > self.records * MALFORMED_PER_CENT {
            let reason = format!("{malformed} of its {} records are malformed", self.records);
            self.refused = Some(reason);
        }
    }
}

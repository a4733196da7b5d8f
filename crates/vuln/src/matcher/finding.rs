//! Records that speak of one flaw become one finding.
use super::enrich::enrich;
use super::judge::{Judgement, Reason, Verdict};
use super::kernel;
use super::subject::{GO_STDLIB, keyed_by};
use crate::index::IndexSet;
use crate::score;
use crate::segment::{DetailsCache, Segment, SegmentError};
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Rating};
use seawall_model::finding::{
    FindingLayer, FindingPackage, Fix, FixStatus, Match, SeverityOf, State, VulnFinding,
};
use seawall_model::package::{Ecosystem, Format, Inventory, Package};
use std::collections::{BTreeMap, BTreeSet};

/// References a finding shows; the record has the rest.
const REFERENCES: usize = 32;

/// Which status of several records counts.
const PRECEDENCE: [FixStatus; 8] = [
    FixStatus::Available,
    FixStatus::InChannel,
    FixStatus::WillNotFix,
    FixStatus::EndOfLife,
    FixStatus::Deferred,
    FixStatus::UnderInvestigation,
    FixStatus::None,
    FixStatus::Unknown,
];

fn precedence(status: FixStatus) -> u8 {
    let place = PRECEDENCE.iter().position(|own| *own == status);
    place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX)
}

/// One package and where it is judged.
pub(super) struct FindingDraft<'a> {
    pub(super) inventory: &'a Inventory,
    pub(super) package: &'a Package,
    pub(super) segment: &'a Segment,
    pub(super) index: &'a IndexSet,
}

/// A record that makes a finding.
struct Record<'a> {
    judgement: &'a Judgement,
    advisory: Advisory,
}

impl Record<'_> {
    /// Whether it names the flaw: by CVE, or where it knows none by any of the flaw's names.
    fn speaks_of(&self, finding: &VulnFinding) -> bool {
        let Advisory { id, cves, aliases, .. } = &self.advisory;
        let mut names = aliases.iter().chain([id]);
        match cves.is_empty() {
            false => cves.contains(&finding.id),
            true => names.any(|name| *name == finding.id || finding.aliases.contains(name)),
        }
    }

    /// The entry's own rating, else the record's.
    fn rating(&self) -> Rating {
        let entry = self.advisory.affected.get(self.judgement.entry as usize);
        let own = entry.and_then(|entry| entry.severity.clone());
        own.unwrap_or_else(|| Rating {
            level: self.advisory.severity,
            cvss: self.advisory.cvss.clone(),
        })
    }
}

impl FindingDraft<'_> {
    pub(super) fn findings(
        &self,
        judgements: &[Judgement],
        details: &mut DetailsCache,
    ) -> Result<Vec<VulnFinding>, SegmentError> {
        let speaks = |judgement: &&Judgement| !matches!(judgement.verdict, Verdict::NotAffected(_));
        let mut records = Vec::new();
        for judgement in judgements.iter().filter(speaks) {
            let advisory = details.advisory(self.segment, judgement.advisory)?;
            records.push(Record { judgement, advisory });
        }
        // A sure record speaks before an unsure one, then by id.
        records.sort_by(|a, b| {
            let sure = |record: &Record| record.judgement.verdict != Verdict::Affected;
            (sure(a), &a.advisory.id).cmp(&(sure(b), &b.advisory.id))
        });
        let flaws = flaws(&records);
        let mut findings: Vec<_> =
            flaws.into_iter().map(|(id, records)| self.finding(&id, &records)).collect();
        if findings.iter().any(|finding| finding.severity.level == Severity::Unknown) {
            self.rate_by_the_silent(&mut findings, judgements, details)?;
        }
        for finding in &mut findings {
            enrich(finding, self.index, details)?;
        }
        Ok(findings)
    }

    /// A flaw is as bad whatever versions a record holds it against: where none of those that speak of the installed
    /// one rates it, the others do. They are read for that alone, since most records of a package are long fixed.
    fn rate_by_the_silent(
        &self,
        findings: &mut [VulnFinding],
        judgements: &[Judgement],
        details: &mut DetailsCache,
    ) -> Result<(), SegmentError> {
        let silent = |judgement: &&Judgement| matches!(judgement.verdict, Verdict::NotAffected(reason) if reason != Reason::Withdrawn);
        let mut records = Vec::new();
        for judgement in judgements.iter().filter(silent) {
            let advisory = details.advisory(self.segment, judgement.advisory)?;
            records.push(Record { judgement, advisory });
        }
        records.sort_by(|a, b| a.advisory.id.cmp(&b.advisory.id));
        for finding in findings.iter_mut() {
            if finding.severity.level == Severity::Unknown {
                let own = records.iter().filter(|record| record.speaks_of(finding));
                finding.severity = self.severity(&own.collect::<Vec<_>>());
            }
        }
        Ok(())
    }

    fn finding(&self, id: &str, records: &[&Record<'_>]) -> VulnFinding {
        let first = records.first().expect("a flaw comes from a record");
        let sure = first.judgement.verdict == Verdict::Affected;
        let own_cves: BTreeSet<&String> =
            records.iter().flat_map(|record| &record.advisory.cves).collect();
        let named = records
            .iter()
            .flat_map(|record| record.advisory.aliases.iter().chain([&record.advisory.id]));
        // The other CVEs of a record are flaws of their own, not names of this one.
        let aliases: BTreeSet<&String> =
            named.filter(|alias| *alias != id && !own_cves.contains(alias)).collect();
        let mut references: Vec<String> = Vec::new();
        for reference in records.iter().flat_map(|record| &record.advisory.references) {
            if references.len() < REFERENCES && !references.contains(reference) {
                references.push(reference.clone());
            }
        }
        let feed = self.feed(first);
        let fix = self.fix(records);
        let not_running = kernel::not_running(self.package, &self.inventory.target);
        let state = match (&not_running, sure) {
            (Some(_), _) => State::NotApplicable,
            (None, true) => State::Unhealthy,
            (None, false) => State::Unknown,
        };
        VulnFinding {
            id: id.to_owned(),
            aliases: aliases.into_iter().cloned().collect(),
            state,
            title: records.iter().find_map(|record| record.advisory.title.clone()),
            package: self.package(),
            disclosed_by: feed.clone(),
            fixed_by: (fix.status == FixStatus::Available).then(|| feed.clone()),
            fix,
            severity: self.severity(records),
            epss: None,
            kev: self.index.kev().and_then(|kev| kev.added(id)),
            matched: Match {
                feed,
                record: first.advisory.id.clone(),
                segment: self.segment.name(),
                rule: self.rule(first.judgement),
                scheme: self.segment.meta().scheme.as_str().to_owned(),
                compared: first.judgement.compared.clone(),
                qualifiers: first.judgement.qualifiers.iter().cloned().chain(not_running).collect(),
            },
            references,
            exemption: None,
        }
    }

    fn feed(&self, record: &Record<'_>) -> String {
        let feed = self.segment.meta().feeds.get(usize::from(record.judgement.feed));
        feed.map(|feed| feed.key.clone()).unwrap_or_default()
    }

    /// The first record that speaks: all are the ecosystem's own.
    fn severity(&self, records: &[&Record<'_>]) -> SeverityOf {
        let rated = records.iter().map(|record| (record, record.rating()));
        let mut speaking = rated.filter(|(_, rating)| rating.level != Severity::Unknown);
        let Some((record, Rating { level, cvss })) = speaking.next() else {
            return SeverityOf {
                level: Severity::Unknown,
                source: None,
                score: None,
                vector: None,
            };
        };
        let score = cvss.as_deref().and_then(score::score);
        SeverityOf { level, source: Some(self.feed(record)), score, vector: cvss }
    }

    /// Every fix that any sure record names, lowest first, those of everybody's channel before others.
    fn fix(&self, records: &[&Record<'_>]) -> Fix {
        let scheme = self.segment.meta().scheme;
        let sure = || records.iter().filter(|record| record.judgement.verdict == Verdict::Affected);
        let fixes = sure().flat_map(|record| &record.judgement.fixes);
        let versions: BTreeMap<_, _> =
            fixes.map(|fix| ((&fix.channel, scheme.key(&fix.version)), fix)).collect();
        // The status that says most counts; a record that knows of a fix beats one that knows none.
        let told: BTreeSet<u8> = sure().map(|record| precedence(record.judgement.fix)).collect();
        let status = told.first().and_then(|first| PRECEDENCE.get(usize::from(*first)).copied());
        let status = status.unwrap_or(FixStatus::Unknown);
        Fix { status, versions: versions.into_values().cloned().collect() }
    }

    fn rule(&self, judgement: &Judgement) -> String {
        let package = self.package;
        let by_source = package.source.as_ref().is_some_and(|source| {
            keyed_by(package) == (source.name.as_str().into(), source.version.as_str().into())
        });
        let how = match package.ecosystem.format() {
            Format::Apk => "origin",
            Format::Deb | Format::Rpm if by_source || judgement.by_source => "source",
            Format::Deb | Format::Rpm => "name",
            Format::Language if judgement.listed => "listed",
            Format::Language if package.ecosystem == Ecosystem::Go => match package.name.as_str() {
                GO_STDLIB => return "go-stdlib".to_owned(),
                _ => return "go-module".to_owned(),
            },
            Format::Language => "range",
        };
        let what = match package.ecosystem.format() {
            Format::Deb => "dpkg",
            Format::Rpm => "rpm",
            Format::Apk => "apk",
            Format::Language => package.ecosystem.purl_type(),
        };
        format!("{what}-{how}")
    }

    fn package(&self) -> FindingPackage {
        let package = self.package;
        let layer = package.layer.and_then(|index| {
            let layer = self.inventory.layers.get(index as usize)?;
            Some(FindingLayer { diff_id: layer.diff_id.clone(), index, base: layer.base })
        });
        FindingPackage {
            purl: package.purl.clone(),
            name: package.name.clone(),
            version: package.version.clone(),
            origin: package.source.as_ref().map(|source| source.name.clone()),
            locations: package.locations.clone(),
            owner: package.owner.clone(),
            layer,
        }
    }
}

/// Records by the flaw they speak of. A record names each of its CVEs, else its GHSA, else itself; a name that is
/// another flaw's alias joins that flaw.
fn flaws<'r, 'a>(records: &'r [Record<'a>]) -> BTreeMap<String, Vec<&'r Record<'a>>> {
    let mut flaws: BTreeMap<String, Vec<&Record>> = BTreeMap::new();
    for record in records {
        for id in flaw_ids(&record.advisory) {
            flaws.entry(id).or_default().push(record);
        }
    }
    let mut known_as: BTreeMap<&str, BTreeSet<&String>> = BTreeMap::new();
    for (id, records) in &flaws {
        for record in records.iter().filter(|record| record.advisory.cves.len() == 1) {
            for alias in record.advisory.aliases.iter().chain([&record.advisory.id]) {
                known_as.entry(alias).or_default().insert(id);
            }
        }
    }
    let joins: Vec<(String, String)> = flaws
        .iter()
        .filter(|(_, records)| records.iter().all(|record| record.advisory.cves.is_empty()))
        .filter_map(|(id, records)| {
            let names = records
                .iter()
                .flat_map(|record| record.advisory.aliases.iter().chain([&record.advisory.id]));
            let others: BTreeSet<&&String> =
                names.filter_map(|name| known_as.get(name.as_str())).flatten().collect();
            let mut others = others.into_iter().filter(|other| **other != id);
            // Two candidates decide nothing; the flaw then stands alone.
            let other = others.next()?;
            others.next().is_none().then(|| (id.clone(), other.to_string()))
        })
        .collect();
    for (from, to) in joins {
        let moved = flaws.remove(&from).unwrap_or_default();
        let records = flaws.entry(to).or_default();
        records.extend(moved);
        let sure = |record: &&Record| record.judgement.verdict != Verdict::Affected;
        records.sort_by_key(|record| (sure(record), record.advisory.id.clone()));
    }
    flaws
}

fn flaw_ids(advisory: &Advisory) -> Vec<String> {
    if !advisory.cves.is_empty() {
        return advisory.cves.clone();
    }
    let own = [&advisory.id];
    let ghsa = own.into_iter().chain(&advisory.aliases).find(|id| id.starts_with("GHSA-"));
    vec![ghsa.unwrap_or(&advisory.id).clone()]
}

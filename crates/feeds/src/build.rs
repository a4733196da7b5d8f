//! Feeds in directories become segments. Reads nothing but the given bases; same input, same bytes.
use crate::directory::{self, Entry, KEV, Manifest};
use crate::feed::{self, Base, CISA_KEV, Feed, OSV, Roots};
use crate::osv::Export;
use crate::report::{BuildError, BuildReport, FeedReport, FeedStatus, FileReport, SegmentReport};
use crate::{cisa_kev, osv};
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use seawall_model::{Millis, Problem};
use seawall_vuln::segment::FeedDate;
use seawall_vuln::{kev, name, segment};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Builds what `feeds` hold below their bases into `out`. A feed that is refused leaves what an earlier build made;
/// the report then [`failed`](BuildReport::failed). The error is for what stops everything: an unwritable directory.
pub fn build(
    roots: &Roots,
    feeds: &[&'static Feed],
    out: &Path,
) -> Result<BuildReport, BuildError> {
    build_lacking(roots, feeds, out, &[])
}

/// As [`build`]; `lacking` are files, by feed key and path, that should be there and could not be had: what they
/// speak of was asked for.
pub(crate) fn build_lacking(
    roots: &Roots,
    feeds: &[&'static Feed],
    out: &Path,
    lacking: &[(&'static str, &'static str)],
) -> Result<BuildReport, BuildError> {
    std::fs::create_dir_all(out)
        .map_err(|source| BuildError::MakeDirectory { path: out.to_owned(), source })?;
    let mut report = BuildReport::default();
    let old = match directory::read_manifest(out) {
        Ok(manifest) => manifest.unwrap_or_default(),
        Err(error) => {
            // The old index is no use to anyone; a new one replaces it.
            report.problems.push(Problem::warning("index-replaced", error.to_string()));
            Manifest::default()
        }
    };
    let mut draft = Draft { out, manifest: old, report };
    for feed in feeds {
        let Base::Directory(base) = roots.base(feed) else {
            return Err(BuildError::Remote { feed: feed.key, base: roots.base(feed).to_string() });
        };
        let read = |source| BuildError::Read { path: base.clone(), source };
        if feed.key == OSV.key {
            let own = lacking.iter().filter(|(key, _)| *key == OSV.key);
            draft.ask(own.filter_map(|(_, path)| osv::named_after(path)));
        }
        if !feed::exists(base) {
            draft.absent(feed, base);
        } else if feed.key == OSV.key {
            let export = osv::read(base).map_err(read)?;
            draft.osv(base, export)?;
        } else {
            draft.kev(base)?;
        }
    }
    draft.finish()
}

/// A segment that was just built.
struct Made {
    segment: String,
    ecosystem: Option<Ecosystem>,
    rows: u64,
    /// Newest record, epoch milliseconds.
    newest: Option<Millis>,
    bytes: Vec<u8>,
}

struct Draft<'a> {
    out: &'a Path,
    manifest: Manifest,
    report: BuildReport,
}

impl Draft<'_> {
    fn absent(&mut self, feed: &Feed, base: &Path) {
        let message = format!("{} has no feed {}", base.display(), feed.key);
        self.report.problems.push(Problem::note("feed-absent", message).item(feed.key));
        self.report.feeds.push(feed_report(feed, base, FeedStatus::Absent, Vec::new()));
    }

    /// From now on the absence of these ecosystems is a gap.
    fn ask(&mut self, ecosystems: impl Iterator<Item = Ecosystem>) {
        let asked = self.manifest.asked.iter().copied().chain(ecosystems);
        self.manifest.asked = asked.collect::<BTreeSet<_>>().into_iter().collect();
    }

    fn osv(&mut self, base: &Path, mut export: Export) -> Result<(), BuildError> {
        let files = std::mem::take(&mut export.files);
        if files.is_empty() {
            self.absent(&OSV, base);
            return Ok(());
        }
        for file in &files {
            self.refuse_file(&OSV, file);
        }
        let mut feed = feed_report(&OSV, base, FeedStatus::Built, files);
        feed.newest = export.asked.iter().filter_map(|ecosystem| export.newest(*ecosystem)).max();
        self.ask(export.asked.iter().copied());
        let mut groups: BTreeMap<(Ecosystem, Option<&str>), Vec<&Advisory>> = BTreeMap::new();
        for advisory in export.advisories.values() {
            let named: BTreeSet<_> = advisory
                .affected
                .iter()
                .map(|entry| (entry.ecosystem, entry.release.as_deref()))
                .collect();
            for group in named {
                groups.entry(group).or_default().push(advisory);
            }
        }
        groups.retain(|(ecosystem, _), _| !export.refused.contains_key(ecosystem));
        if self.refuse_vanished(&export, &groups) {
            feed.status = FeedStatus::Refused;
        }
        for ((ecosystem, release), advisories) in groups {
            let segment = name::segment(ecosystem, release);
            // Its own: records of one release are no sign that another still gets any.
            let newest = advisories.iter().filter_map(|advisory| osv::newest(advisory)).max();
            let date = FeedDate { key: OSV.key.to_owned(), newest };
            let built = segment::build(ecosystem, release, date, &advisories)
                .map_err(|source| BuildError::Segment { segment: segment.clone(), source })?;
            if built.versions_dropped > 0 {
                let class = "listed version outside the order".to_owned();
                *feed.part_drops.entry(class).or_default() += built.versions_dropped;
            }
            let rows = u64::from(built.meta.rows);
            feed.rows += rows;
            let made =
                Made { segment, ecosystem: Some(ecosystem), rows, newest, bytes: built.bytes };
            self.write(&OSV, made)?;
        }
        self.push(feed);
        Ok(())
    }

    fn kev(&mut self, base: &Path) -> Result<(), BuildError> {
        let Some(catalogue) = cisa_kev::read(base) else {
            self.absent(&CISA_KEV, base);
            return Ok(());
        };
        self.refuse_file(&CISA_KEV, &catalogue.report);
        let refused = catalogue.report.refused.is_some();
        let mut feed = feed_report(&CISA_KEV, base, FeedStatus::Built, vec![catalogue.report]);
        feed.newest = catalogue.newest;
        if !refused {
            feed.rows = catalogue.added.len() as u64;
            let date = FeedDate { key: CISA_KEV.key.to_owned(), newest: catalogue.newest };
            let bytes = kev::build(date, &catalogue.added)
                .map_err(|source| BuildError::Segment { segment: KEV.to_owned(), source })?;
            let (segment, newest) = (KEV.to_owned(), catalogue.newest);
            self.write(
                &CISA_KEV,
                Made { segment, ecosystem: None, rows: feed.rows, newest, bytes },
            )?;
        }
        self.push(feed);
        Ok(())
    }

    fn refuse_file(&mut self, feed: &Feed, file: &FileReport) {
        let Some(reason) = &file.refused else { return };
        let message =
            format!("{} {} is refused, an earlier segment stays: {reason}", feed.key, file.path);
        self.report
            .problems
            .push(Problem::error("feed-refused", message).file(&file.path).item(feed.key));
    }

    /// A segment that an earlier build had and this one has no row for: the feed lost it, the flaws remain.
    fn refuse_vanished(
        &mut self,
        export: &Export,
        groups: &BTreeMap<(Ecosystem, Option<&str>), Vec<&Advisory>>,
    ) -> bool {
        let new: BTreeSet<String> =
            groups.keys().map(|(ecosystem, release)| name::segment(*ecosystem, *release)).collect();
        let lost = |entry: &&Entry| {
            let read = entry.ecosystem.is_some_and(|ecosystem| {
                export.asked.contains(&ecosystem) && !export.refused.contains_key(&ecosystem)
            });
            entry.feed == OSV.key && read && !new.contains(&entry.name)
        };
        let lost: Vec<String> =
            self.manifest.segments.iter().filter(lost).map(|entry| entry.name.clone()).collect();
        for segment in &lost {
            let message = format!("{segment} has no rows left, the earlier segment stays");
            self.report.problems.push(Problem::error("feed-refused", message).item(segment));
        }
        !lost.is_empty()
    }

    fn write(&mut self, feed: &Feed, made: Made) -> Result<(), BuildError> {
        let Made { segment, ecosystem, rows, newest, bytes } = made;
        let file = directory::file_name(&segment);
        directory::write(self.out, &file, &bytes)?;
        let entry = Entry {
            name: segment,
            ecosystem,
            feed: feed.key.to_owned(),
            file,
            rows,
            bytes: bytes.len() as u64,
            newest,
        };
        self.report.segments.push(segment_report(&entry, false));
        self.manifest.segments.retain(|old| old.name != entry.name);
        self.manifest.segments.push(entry);
        Ok(())
    }

    fn push(&mut self, mut feed: FeedReport) {
        if feed.files.iter().any(|file| file.refused.is_some()) {
            feed.status = FeedStatus::Refused;
        }
        // The base is where this build happened to read; equal input shall give equal bytes.
        let mut kept = feed.clone();
        kept.base.clear();
        self.manifest.feeds.retain(|old| old.key != feed.key);
        self.manifest.feeds.push(kept);
        self.report.feeds.push(feed);
    }

    fn finish(mut self) -> Result<BuildReport, BuildError> {
        let written: BTreeSet<String> =
            self.report.segments.iter().map(|segment| segment.name.clone()).collect();
        if written.is_empty() && !self.report.failed() {
            let message = "none of the feeds is there: nothing was built".to_owned();
            self.report.problems.push(
                Problem::error("nothing-built", message)
                    .help("name a root that has osv/<ecosystem>/all.zip or cisa-kev/"),
            );
        }
        let kept: Vec<_> =
            self.manifest.segments.iter().filter(|entry| !written.contains(&entry.name)).collect();
        let feeds: BTreeSet<&str> =
            self.report.feeds.iter().map(|feed| feed.key.as_str()).collect();
        let outlived = kept.iter().filter(|entry| feeds.contains(entry.feed.as_str()));
        self.report.problems.extend(outlived.map(|entry| segment_kept(entry)));
        self.report.segments.extend(kept.iter().map(|entry| segment_report(entry, true)));
        self.report.segments.sort_by(|a, b| a.name.cmp(&b.name));
        self.manifest.segments.sort_by(|a, b| a.name.cmp(&b.name));
        self.manifest.feeds.sort_by(|a, b| a.key.cmp(&b.key));
        // A refusal that leaves no segment still leaves what was asked: its absence is then a gap.
        if !self.manifest.segments.is_empty() {
            let text = serde_json::to_vec_pretty(&self.manifest).expect("plain values serialise");
            directory::write(self.out, directory::MANIFEST, &text)?;
        }
        Ok(self.report)
    }
}

/// Nothing in this build's feeds spoke of it, so it grows old unseen.
fn segment_kept(entry: &Entry) -> Problem {
    let newest = entry.newest.and_then(|newest| jiff::Timestamp::from_millisecond(newest).ok());
    let newest = newest.map_or("no dated record".to_owned(), |newest| {
        format!("records up to {}", newest.strftime("%Y-%m-%d"))
    });
    let message = format!("{} is that of an earlier build, with {newest}", entry.name);
    Problem::note("segment-kept", message).item(&entry.name)
}

fn segment_report(entry: &Entry, kept: bool) -> SegmentReport {
    SegmentReport {
        name: entry.name.clone(),
        file: entry.file.clone(),
        rows: entry.rows,
        bytes: entry.bytes,
        newest: entry.newest,
        kept,
    }
}

fn feed_report(feed: &Feed, base: &Path, status: FeedStatus, files: Vec<FileReport>) -> FeedReport {
    let add = |mut sum: BTreeMap<String, u64>, drops: &BTreeMap<String, u64>| {
        for (class, count) in drops {
            *sum.entry(class.clone()).or_default() += count;
        }
        sum
    };
    FeedReport {
        key: feed.key.to_owned(),
        base: base.display().to_string(),
        licence: feed.licence.to_owned(),
        status,
        records: files.iter().map(|file| file.records).sum(),
        kept: files.iter().map(|file| file.kept).sum(),
        rows: 0,
        drops: files.iter().map(|file| &file.drops).fold(BTreeMap::new(), add),
        part_drops: files.iter().map(|file| &file.part_drops).fold(BTreeMap::new(), add),
        newest: None,
        files,
    }
}

//! Feeds in directories become segments. Reads nothing but the given bases; same input, same bytes.
use crate::directory::{self, Entry, Manifest, PRODUCTS};
use crate::enrichment::List;
use crate::export::{Export, newest};
use crate::feed::{self, Base, Content, Feed, Roots};
use crate::osv;
use crate::report::{BuildError, BuildReport, FeedReport, FeedStatus, FileReport, SegmentReport};
use seawall_model::package::Ecosystem;
use seawall_model::{Millis, Problem};
use seawall_vuln::segment::{FeedDate, Source};
use seawall_vuln::{name, products, segment};
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
    let mut exports = Vec::new();
    for &feed in feeds {
        let Base::Directory(base) = roots.base(feed) else {
            return Err(BuildError::Remote { feed: feed.key, base: roots.base(feed).to_string() });
        };
        let read_error = |source| BuildError::Read { path: base.clone(), source };
        if *feed == osv::FEED {
            let own = lacking.iter().filter(|(key, _)| *key == feed.key);
            draft.ask(own.filter_map(|(_, path)| osv::named_after(path)));
        }
        if !feed::exists(base) {
            draft.absent(feed, base);
            continue;
        }
        match feed.content {
            Content::List { name, read } => match read(base) {
                None => draft.absent(feed, base),
                Some(list) => draft.list(feed, base, name, list)?,
            },
            Content::Advisories(read) => match read(base).map_err(read_error)? {
                export if export.files.is_empty() => draft.absent(feed, base),
                export => {
                    draft.products(feed, &export)?;
                    exports.push(draft.told(feed, base, export));
                }
            },
        }
    }
    draft.segments(&mut exports)?;
    exports.into_iter().for_each(|own| draft.push(own.report));
    draft.finish()
}

/// What one feed of this build holds.
struct Told {
    feed: &'static Feed,
    report: FeedReport,
    export: Export,
}

/// A segment that was just built.
struct Made {
    segment: String,
    ecosystem: Option<Ecosystem>,
    feeds: Vec<String>,
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
        self.report.feeds.push(feed_report(feed, base, FeedStatus::Absent, Vec::new()));
    }

    /// From now on the absence of these ecosystems is a gap.
    fn ask(&mut self, ecosystems: impl Iterator<Item = Ecosystem>) {
        let asked = self.manifest.asked.iter().copied().chain(ecosystems);
        self.manifest.asked = asked.collect::<BTreeSet<_>>().into_iter().collect();
    }

    fn told(&mut self, feed: &'static Feed, base: &Path, mut export: Export) -> Told {
        let files = std::mem::take(&mut export.files);
        for file in &files {
            self.refuse_file(feed, file);
        }
        self.ask(export.asked.iter().copied());
        let mut report = feed_report(feed, base, FeedStatus::Built, files);
        report.newest = export.newest();
        if self.refuse_vanished(feed, &export) {
            report.status = FeedStatus::Refused;
        }
        Told { feed, report, export }
    }

    /// One segment for each release that any of them speaks of.
    fn segments(&mut self, told: &mut [Told]) -> Result<(), BuildError> {
        let groups: Vec<_> = told.iter().map(|own| own.export.groups()).collect();
        let mut counted = vec![Tally::default(); told.len()];
        let places: BTreeSet<_> = groups.iter().flat_map(BTreeMap::keys).copied().collect();
        for (ecosystem, release) in places {
            let segment = name::segment(ecosystem, release);
            if told.iter().any(|own| own.export.refuses(ecosystem, release)) {
                continue;
            }
            let speaking =
                (0..told.len()).filter_map(|at| Some((at, groups[at].get(&(ecosystem, release))?)));
            let speaking: Vec<_> = speaking.collect();
            let leads = |at: usize| told[at].feed.leads.contains(&ecosystem);
            let led = speaking.iter().any(|(at, _)| leads(*at));
            if !led && self.keep_led(&segment, ecosystem, told) {
                continue;
            }
            let (mut sources, mut places) = (Vec::new(), Vec::new());
            for (at, advisories) in speaking {
                if led && !leads(at) {
                    counted[at].superseded += advisories.len() as u64;
                    continue;
                }
                // Its own: records of one release are no sign that another still gets any.
                let newest = advisories.iter().filter_map(|advisory| newest(advisory)).max();
                let feed = FeedDate { key: told[at].feed.key.to_owned(), newest };
                places.push((feed.clone(), at));
                sources.push(Source { feed, advisories: advisories.clone() });
            }
            let built = segment::build_from(ecosystem, release, sources)
                .map_err(|source| BuildError::Segment { segment: segment.clone(), source })?;
            places.sort();
            for ((_, at), counts) in places.iter().zip(&built.counts) {
                counted[*at].rows += counts.rows;
                counted[*at].versions_dropped += counts.versions_dropped;
            }
            let feeds = built.meta.feeds.iter().map(|feed| feed.key.clone()).collect();
            let (rows, newest) = (u64::from(built.meta.rows), built.meta.built);
            let bytes = built.bytes;
            self.write(Made { segment, ecosystem: Some(ecosystem), feeds, rows, newest, bytes })?;
        }
        for (own, tally) in told.iter_mut().zip(counted) {
            tally.tell(&mut own.report);
        }
        Ok(())
    }

    /// Whether an earlier segment stays because the feed that leads there is not in this build.
    fn keep_led(&self, segment: &str, ecosystem: Ecosystem, told: &[Told]) -> bool {
        let earlier = self.manifest.segments.iter().find(|entry| entry.name == segment);
        let absent = |key: &String| {
            let feed = feed::ALL.into_iter().find(|feed| feed.key == key);
            feed.is_some_and(|feed| feed.leads.contains(&ecosystem))
                && !told.iter().any(|own| own.feed.key == key)
        };
        earlier.is_some_and(|entry| entry.feeds.iter().any(absent))
    }

    /// One list beside the advisories.
    fn list(&mut self, feed: &Feed, base: &Path, name: &str, list: List) -> Result<(), BuildError> {
        let List { files, newest, rows, built } = list;
        for file in &files {
            self.refuse_file(feed, file);
        }
        let mut report = feed_report(feed, base, FeedStatus::Built, files);
        report.newest = newest;
        if let Some(built) = built {
            report.rows = rows;
            let segment = name.to_owned();
            let bytes =
                built.map_err(|source| BuildError::Segment { segment: segment.clone(), source })?;
            let feeds = vec![feed.key.to_owned()];
            self.write(Made { segment, ecosystem: None, feeds, rows, newest, bytes })?;
        }
        self.push(report);
        Ok(())
    }

    /// The part of the index that says which products a repository belongs to, where the feed knows it.
    fn products(&mut self, feed: &Feed, export: &Export) -> Result<(), BuildError> {
        let Some(entries) = &export.products else { return Ok(()) };
        let date = FeedDate { key: feed.key.to_owned(), newest: None };
        let bytes = products::build(date, entries)
            .map_err(|source| BuildError::Segment { segment: PRODUCTS.to_owned(), source })?;
        let (segment, rows) = (PRODUCTS.to_owned(), entries.len() as u64);
        let feeds = vec![feed.key.to_owned()];
        self.write(Made { segment, ecosystem: None, feeds, rows, newest: None, bytes })
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
    fn refuse_vanished(&mut self, feed: &Feed, export: &Export) -> bool {
        let groups = export.groups();
        let new: BTreeSet<String> =
            groups.keys().map(|(ecosystem, release)| name::segment(*ecosystem, *release)).collect();
        let lost = |entry: &&Entry| {
            let read = entry.ecosystem.is_some_and(|ecosystem| {
                let release = entry.name.split_once(':').map(|(_, release)| release);
                export.asked.contains(&ecosystem) && !export.refuses(ecosystem, release)
            });
            entry.feeds.iter().any(|key| key == feed.key) && read && !new.contains(&entry.name)
        };
        let lost: Vec<String> =
            self.manifest.segments.iter().filter(lost).map(|entry| entry.name.clone()).collect();
        for segment in &lost {
            let message = format!("{segment} has no rows left, the earlier segment stays");
            self.report.problems.push(Problem::error("feed-refused", message).item(segment));
        }
        !lost.is_empty()
    }

    fn write(&mut self, made: Made) -> Result<(), BuildError> {
        let Made { segment, ecosystem, feeds, rows, newest, bytes } = made;
        let file = directory::file_name(&segment);
        directory::write(self.out, &file, &bytes)?;
        let entry = Entry {
            name: segment,
            ecosystem,
            feeds,
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
        let absent = self.report.feeds.iter().filter(|feed| feed.status == FeedStatus::Absent);
        let absent: Vec<&str> = absent.map(|feed| feed.key.as_str()).collect();
        if !absent.is_empty() {
            let named = absent.join(", ");
            let message = format!("nothing lies below the bases of these feeds: {named}");
            self.report.problems.push(Problem::note("feed-absent", message).item(named));
        }
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
        let outlived =
            kept.iter().filter(|entry| entry.feeds.iter().any(|key| feeds.contains(key.as_str())));
        self.report.problems.extend(outlived.map(|entry| segment_kept(entry)));
        self.report.segments.extend(kept.iter().map(|entry| segment_report(entry, true)));
        let place = |key: &str| feed::ALL.iter().position(|feed| feed.key == key);
        self.report.feeds.sort_by_key(|feed| place(&feed.key));
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

/// What became of a feed's records in all segments.
#[derive(Clone, Copy, Default)]
struct Tally {
    rows: u64,
    versions_dropped: u64,
    /// Records left out of segments that another feed leads.
    superseded: u64,
}

impl Tally {
    fn tell(self, report: &mut FeedReport) {
        report.rows += self.rows;
        let classes = [
            ("listed version outside the order", self.versions_dropped),
            ("another feed leads", self.superseded),
        ];
        for (class, count) in classes.into_iter().filter(|(_, count)| *count > 0) {
            *report.part_drops.entry(class.to_owned()).or_default() += count;
        }
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

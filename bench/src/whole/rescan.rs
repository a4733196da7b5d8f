//! What a day's change of the feeds costs beside everything that was ever scanned.
use super::quantiles::Quantiles;
use super::row;
use anyhow::{Context, ensure};
use seawall_feeds::{Roots, build, open, select};
use seawall_model::image::ImageRef;
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, SourcePackage, Target};
use seawall_vuln::rescan::{Change, Estate};
use seawall_vuln::{IndexSet, match_inventory};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Exports whose records are cut into days.
const EXPORTS: [&str; 2] = ["AlmaLinux", "Alpaquita"];
/// Packages of an image: between these.
const PACKAGES: std::ops::Range<usize> = 80..220;
/// Names that are in most images, as a C library is.
const COMMON: usize = 40;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Root of feeds that holds osv/AlmaLinux/all.zip and osv/Alpaquita/all.zip
    #[arg(long)]
    feeds: PathBuf,
    #[arg(long, default_value_t = 10_000)]
    images: u32,
    /// Days of records that come one after the other, the last of them that the feeds hold
    #[arg(long, default_value_t = 30)]
    days: usize,
    /// Images that are matched whole with both indexes, to compare
    #[arg(long, default_value_t = 300)]
    compared: u32,
}

/// A record of an export.
struct Record {
    file: String,
    text: Vec<u8>,
    /// `modified`, to the day.
    day: String,
}

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let exports: Vec<(&str, Vec<Record>)> = EXPORTS
            .into_iter()
            .map(|export| {
                Ok((export, records(&self.feeds.join("osv").join(export).join("all.zip"))?))
            })
            .collect::<anyhow::Result<_>>()?;
        let days: BTreeSet<&str> =
            exports.iter().flat_map(|(_, records)| records).map(|own| own.day.as_str()).collect();
        ensure!(days.len() > self.days, "the feeds have records of {} days only", days.len());
        let days: Vec<&str> = days.into_iter().rev().take(self.days + 1).collect();
        let folder = tempfile::tempdir()?;
        let images = Images::of(&exports);
        let mut estate = Estate::default();
        let began = Instant::now();
        for number in 0..self.images {
            estate.add(number, &images.image(number));
        }
        let kept = format!(
            "{} packages of {} images, noted in {:.1?}",
            estate.len(),
            self.images,
            began.elapsed()
        );
        row("kept", &kept)?;
        let mut old = index(folder.path(), &exports, days[self.days])?;
        let mut times = Vec::new();
        for day in days[..self.days].iter().rev() {
            let new = index(folder.path(), &exports, day)?;
            let began = Instant::now();
            let changes = estate.rescan(&old, &new);
            let took = began.elapsed();
            times.push(took);
            let (raised, resolved) = sums(&changes);
            let touched: BTreeSet<u32> =
                changes.iter().flat_map(|own| own.targets.iter()).collect();
            let equal = self.compare(&images, &changes, &old, &new)?;
            let told = format!(
                "{took:.1?}, {} packages say otherwise, {raised} findings raised and {resolved} resolved in {} images; {equal} images matched whole say the same",
                changes.len(),
                touched.len()
            );
            row(day, &told)?;
            old = new;
        }
        row("a day", &Quantiles::new(times).to_string())
    }

    /// How many images say the same by a full match; an image that does not is an error.
    fn compare(
        &self,
        images: &Images,
        changes: &[Change<'_>],
        old: &IndexSet,
        new: &IndexSet,
    ) -> anyhow::Result<u32> {
        let step = (self.images / self.compared.max(1)).max(1);
        let mut count = 0;
        for number in (0..self.images).step_by(step as usize) {
            let inventory = images.image(number);
            let mut told = reported(&inventory, old);
            for change in changes.iter().filter(|change| change.targets.contains(number)) {
                change
                    .resolved
                    .iter()
                    .for_each(|own| _ = told.remove(&name(&own.id, &own.package.purl)));
                told.extend(change.raised.iter().map(|own| name(&own.id, &own.package.purl)));
            }
            ensure!(
                told == reported(&inventory, new),
                "image {number} says otherwise by a full match"
            );
            count += 1;
        }
        Ok(count)
    }
}

fn name(flaw: &str, purl: &str) -> String {
    format!("{flaw} {purl}")
}

fn reported(inventory: &Inventory, index: &IndexSet) -> BTreeSet<String> {
    let findings = match_inventory(inventory, index).findings;
    findings.iter().map(|own| name(&own.id, &own.package.purl)).collect()
}

/// Findings raised and resolved in all images.
fn sums(changes: &[Change<'_>]) -> (u64, u64) {
    let of = |count: usize, change: &Change<'_>| count as u64 * change.targets.len();
    changes.iter().fold((0, 0), |(raised, resolved), change| {
        (raised + of(change.raised.len(), change), resolved + of(change.resolved.len(), change))
    })
}

fn records(path: &Path) -> anyhow::Result<Vec<Record>> {
    let file = std::fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file))?;
    let mut records = Vec::new();
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let (file, mut text) = (entry.name()?.into_owned(), Vec::new());
        entry.read_to_end(&mut text)?;
        let record: serde_json::Value = serde_json::from_slice(&text)?;
        let day = record["modified"].as_str().unwrap_or_default().chars().take(10).collect();
        records.push(Record { file, text, day });
    }
    Ok(records)
}

/// The index as it was at the end of a day.
fn index(folder: &Path, exports: &[(&str, Vec<Record>)], day: &str) -> anyhow::Result<IndexSet> {
    let (root, out) = (folder.join("root"), folder.join(format!("index-{day}")));
    for (export, records) in exports {
        let path = root.join("osv").join(export);
        std::fs::create_dir_all(&path)?;
        let mut archive = zip::ZipWriter::new(std::fs::File::create(path.join("all.zip"))?);
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        for record in records.iter().filter(|record| record.day.as_str() <= day) {
            archive.start_file(&record.file, stored)?;
            archive.write_all(&record.text)?;
        }
        archive.finish()?;
    }
    let root = root.to_str().context("a path that is text")?;
    let report = build(&Roots::below(root)?, &select(&["osv"])?, &out)?;
    ensure!(!report.failed(), "the feeds were refused: {:?}", report.problems);
    Ok(open(&out)?)
}

/// Names of packages, each with its versions.
type Names = Vec<(String, Vec<String>)>;

/// Packages as the feeds know them: names with every version that fixed something, so that some of each are flawed.
struct Images {
    releases: Vec<(Distro, Ecosystem, Names)>,
}

impl Images {
    fn of(exports: &[(&str, Vec<Record>)]) -> Self {
        let mut versions: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for record in exports.iter().flat_map(|(_, records)| records) {
            let Ok(record) = serde_json::from_slice::<serde_json::Value>(&record.text) else {
                continue;
            };
            for entry in record["affected"].as_array().into_iter().flatten() {
                let text =
                    |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                let names = versions.entry(text(&entry["package"]["ecosystem"])).or_default();
                let own = names.entry(text(&entry["package"]["name"])).or_default();
                let events = entry["ranges"].as_array().into_iter().flatten();
                let events =
                    events.flat_map(|range| range["events"].as_array().into_iter().flatten());
                own.extend(events.map(|event| text(&event["fixed"])).filter(|fix| !fix.is_empty()));
            }
        }
        let mut releases = Vec::new();
        for (place, names) in versions {
            let (ecosystem, version) = match place.split_once(':') {
                Some(("AlmaLinux", version)) => (Ecosystem::AlmaLinux, version),
                Some(("Alpaquita", version)) => (Ecosystem::Alpaquita, version),
                _ => continue,
            };
            let id = ecosystem.osv_name().to_lowercase();
            let distro = Distro { id, version: Some(version.to_owned()), name: None };
            let names = names.into_iter().filter(|(_, versions)| !versions.is_empty());
            let names = names.map(|(name, versions)| (name, versions.into_iter().collect()));
            releases.push((distro, ecosystem, names.collect()));
        }
        Self { releases }
    }

    /// The same for the same number: common packages in most images, the rest drawn from all.
    fn image(&self, number: u32) -> Inventory {
        let mut draw = Draw((u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (distro, ecosystem, names) = &self.releases[draw.below(self.releases.len())];
        let count = PACKAGES.start + draw.below(PACKAGES.len());
        let mut chosen = BTreeSet::new();
        for place in 0..count {
            chosen.insert(match place < COMMON {
                true if draw.below(10) < 9 => place * names.len() / COMMON,
                _ => draw.below(names.len()),
            });
        }
        let packages = chosen.into_iter().map(|place| {
            let (name, versions) = &names[place];
            // A few versions of each are in use, the newest most.
            let version = &versions[versions.len() - 1 - draw.below(versions.len().min(4))];
            package(*ecosystem, name, version)
        });
        Inventory {
            target: Target::Image { image: ImageRef::default() },
            distro: Some(distro.clone()),
            platform: None,
            layers: Vec::new(),
            packages: packages.collect(),
            repositories: Vec::new(),
            problems: Vec::new(),
            extractor_version: 0,
        }
    }
}

fn package(ecosystem: Ecosystem, name: &str, version: &str) -> Package {
    let source = SourcePackage { name: name.to_owned(), version: version.to_owned() };
    Package {
        ecosystem,
        name: name.to_owned(),
        version: version.to_owned(),
        purl: format!("pkg:{}/{name}@{version}", ecosystem.purl_type()),
        arch: Some("x86_64".to_owned()),
        source: Some(source),
        locations: Vec::new(),
        owner: None,
        layer: None,
        third_party: false,
        module: None,
    }
}

/// Numbers that only look drawn. Source: xorshift64, G. Marsaglia 2003.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap_or_default()
            % bound.max(1)
    }
}

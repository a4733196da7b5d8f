//! `seawall db inspect`: what an index holds, and what it says of one package or in one record.
use super::{day, directory};
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format, escape};
use seawall_model::Millis;
use seawall_model::advisory::Advisory;
use seawall_model::package::Ecosystem;
use seawall_vuln::segment::FeedDate;
use seawall_vuln::{IndexInfo, IndexSet, Statement};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::str::FromStr;

#[derive(clap::Args)]
pub(crate) struct Inspect {
    /// Index directory [default: $SEAWALL_DB, else below the user's cache]
    dir: Option<PathBuf>,
    /// What every record says of this package, such as Debian/openssl
    #[arg(long, value_name = "ECOSYSTEM/NAME", conflicts_with = "advisory")]
    package: Option<PackageName>,
    /// The record of this id, such as DSA-5532-1
    #[arg(long, value_name = "ID")]
    advisory: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PackageName {
    ecosystem: Ecosystem,
    name: String,
}

impl FromStr for PackageName {
    type Err = String;

    /// The ecosystem is told case-blind; names of Go modules hold slashes themselves.
    fn from_str(text: &str) -> Result<Self, String> {
        let Some((ecosystem, name)) = text.split_once('/').filter(|(_, name)| !name.is_empty())
        else {
            return Err("expected ECOSYSTEM/NAME, such as Debian/openssl".to_owned());
        };
        let named = |known: &Ecosystem| known.osv_name().eq_ignore_ascii_case(ecosystem);
        let known = Ecosystem::ALL.into_iter().find(named).ok_or_else(|| {
            let names = Ecosystem::ALL.map(Ecosystem::osv_name).join(", ");
            format!("`{ecosystem}` is no ecosystem: expected one of {names}")
        })?;
        Ok(Self { ecosystem: known, name: name.to_owned() })
    }
}

impl Inspect {
    pub(super) fn run(self) -> Outcome {
        let dir = directory(self.dir)?;
        let index = seawall_feeds::open(&dir).map_err(Failure::could_not_run)?;
        match (self.package, self.advisory) {
            (Some(package), _) => show_package(&index, &package, self.format),
            (None, Some(id)) => show_advisory(&index, &id, self.format),
            (None, None) => show_index(&index, &dir, self.format),
        }
    }
}

fn show_index(index: &IndexSet, dir: &Path, format: Format) -> Outcome {
    let info = index.info();
    match format {
        Format::Json => output::print_json(
            &json!({"schema": "seawall.db.inspect/1", "directory": dir, "digest": index.digest(), "index": info, "feeds": described(&info)}),
        )?,
        Format::Table => {
            let newest = date(info.newest);
            let headline = format!("index {}, newest record {newest}", dir.display());
            let (segments, feeds) = (segments(&info), feeds(&info));
            output::print(&format!("{}\n\n{segments}\n{feeds}", escape(&headline)))?;
        }
    }
    Ok(Exit::Pass)
}

/// A row per segment, what the index holds beside them last.
fn segments(info: &IndexInfo) -> String {
    const DIGEST: usize = 12;
    let short = |digest: &str| digest.chars().take(DIGEST).collect::<String>();
    let mut rows: Vec<_> = info
        .segments
        .iter()
        .map(|segment| {
            let meta = &segment.meta;
            vec![
                segment.name.clone(),
                if meta.fixed_only { "fixed-only" } else { "full" }.to_owned(),
                meta.rows.to_string(),
                date(meta.feeds.iter().filter_map(|feed| feed.newest).max()),
                meta.scheme.to_string(),
                short(&segment.digest),
            ]
        })
        .collect();
    rows.extend(info.kev.iter().map(|kev| {
        vec![
            "kev".to_owned(),
            "-".to_owned(),
            kev.meta.entries.to_string(),
            date(kev.meta.feed.newest),
            "-".to_owned(),
            short(&kev.digest),
        ]
    }));
    rows.extend(info.products.iter().map(|products| {
        vec![
            "redhat-products".to_owned(),
            "-".to_owned(),
            products.meta.repositories.to_string(),
            date(products.meta.feed.newest),
            "-".to_owned(),
            short(&products.digest),
        ]
    }));
    rows.extend(info.enrichment.iter().map(|part| {
        vec![
            part.name.clone(),
            "-".to_owned(),
            part.meta.entries.to_string(),
            date(part.meta.feed.newest),
            "-".to_owned(),
            short(&part.digest),
        ]
    }));
    output::table(&["SEGMENT", "COVERAGE", "ROWS", "NEWEST", "SCHEME", "DIGEST"], &rows)
}

/// A row per feed that the index holds records of: what may be done with them, and what reading them was tested on.
fn feeds(info: &IndexInfo) -> String {
    let row = |feed: &FeedDate| {
        let known = seawall_feeds::ALL.iter().find(|known| known.key == feed.key);
        let tested = known.map_or("-", |known| match known.verified {
            true => "real records",
            false => "its description alone",
        });
        let licence = known.map_or("-", |known| known.licence);
        vec![feed.key.clone(), date(feed.newest), tested.to_owned(), licence.to_owned()]
    };
    let rows: Vec<_> = info.feeds.iter().map(row).collect();
    output::table(&["FEED", "NEWEST", "TESTED ON", "LICENCE"], &rows)
}

/// As [`feeds`], for programs.
fn described(info: &IndexInfo) -> Vec<serde_json::Value> {
    let named = |feed: &FeedDate| {
        let known = seawall_feeds::ALL.iter().find(|known| known.key == feed.key)?;
        let (key, title) = (known.key, known.title);
        Some(
            json!({"key": key, "title": title, "licence": known.licence, "verified": known.verified}),
        )
    };
    info.feeds.iter().filter_map(named).collect()
}

fn show_package(index: &IndexSet, package: &PackageName, format: Format) -> Outcome {
    let PackageName { ecosystem, name } = package;
    let statements = index.package_statements(*ecosystem, name).map_err(Failure::could_not_run)?;
    match format {
        Format::Json => output::print_json(
            &json!({"schema": "seawall.db.package/1", "ecosystem": ecosystem.osv_name(), "name": name, "statements": statements}),
        )?,
        Format::Table if statements.is_empty() => {
            output::print(&format!(
                "{}\n",
                escape(&format!("no record names {ecosystem}/{name}"))
            ))?;
        }
        Format::Table => output::print(&statements_table(&statements))?,
    }
    Ok(Exit::Pass)
}

fn show_advisory(index: &IndexSet, id: &str, format: Format) -> Outcome {
    let found = index.record(id).map_err(Failure::could_not_run)?;
    let (advisory, statements) = match found {
        Some((advisory, statements)) => (Some(advisory), statements),
        None => (None, Vec::new()),
    };
    match (format, &advisory) {
        (Format::Json, _) => output::print_json(
            &json!({"schema": "seawall.db.advisory/1", "advisory": advisory, "statements": statements}),
        )?,
        (Format::Table, None) => {
            output::print(&format!("{}\n", escape(&format!("no record has the id {id}"))))?;
        }
        (Format::Table, Some(advisory)) => {
            output::print(&format!("{}\n{}", text(advisory), statements_table(&statements)))?;
        }
    }
    Ok(Exit::Pass)
}

fn text(advisory: &Advisory) -> String {
    let Advisory { id, cves, aliases, title, severity, cvss, modified, withdrawn, .. } = advisory;
    let names: Vec<_> = cves.iter().chain(aliases).map(String::as_str).collect();
    let mut lines = vec![
        format!("{id}: {}", title.as_deref().unwrap_or("no title")),
        format!(
            "also known as: {}",
            if names.is_empty() { "-".to_owned() } else { names.join(", ") }
        ),
        format!("severity: {severity} {}", cvss.as_deref().unwrap_or_default()),
        format!("modified: {}", date(*modified)),
    ];
    lines.extend(withdrawn.map(|day| format!("withdrawn: {}", date(Some(day)))));
    lines.extend(advisory.references.iter().map(|url| format!("reference: {url}")));
    lines.iter().map(|line| escape(line.trim_end()) + "\n").collect()
}

fn statements_table(statements: &[Statement]) -> String {
    let row = |statement: &Statement| {
        let remarks = [(statement.withdrawn, "withdrawn"), (statement.undecidable, "undecidable")];
        let remarks = remarks.iter().filter(|(holds, _)| *holds).map(|(_, word)| *word);
        vec![
            statement.segment.clone(),
            statement.package.clone(),
            statement.record.clone(),
            statement.introduced.clone().unwrap_or("-".to_owned()),
            statement.kind.clone(),
            statement.end.clone().unwrap_or("-".to_owned()),
            remarks.collect::<Vec<_>>().join(", "),
        ]
    };
    let header = ["SEGMENT", "PACKAGE", "RECORD", "INTRODUCED", "KIND", "VERSION", "REMARKS"];
    output::table(&header, &statements.iter().map(row).collect::<Vec<_>>())
}

fn date(millis: Option<Millis>) -> String {
    millis.map_or("unknown".to_owned(), day)
}

#[test]
fn packages_are_named_with_their_ecosystem() {
    #[track_caller]
    fn check(text: &str, expected: Option<(Ecosystem, &str)>) {
        let named =
            expected.map(|(ecosystem, name)| PackageName { ecosystem, name: name.to_owned() });
        assert_eq!(text.parse().ok(), named, "{text}");
    }
    check("Debian/openssl", Some((Ecosystem::Debian, "openssl")));
    check("pypi/Django", Some((Ecosystem::PyPI, "Django")));
    check("Go/golang.org/x/net", Some((Ecosystem::Go, "golang.org/x/net")));
    check("openssl", None);
    check("Debian/", None);
    check("npm/left-pad", Some((Ecosystem::Npm, "left-pad")));
    check("hex/phoenix", None);
}

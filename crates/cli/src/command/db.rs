//! `seawall db`: the advisory index, built from directories or downloaded feeds.
mod inspect;

use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use seawall_feeds::{BuildReport, Feed, Roots};
use seawall_model::Millis;
use std::path::PathBuf;

#[derive(clap::Subcommand)]
pub(crate) enum Verb {
    /// Build the index from feeds that lie in a directory; opens no socket
    Build(Build),
    /// Download feeds, then build the index
    Update(Update),
    /// Show what an index holds and how old it is, or what it says of a package
    Inspect(inspect::Inspect),
}

#[derive(clap::Args)]
pub(crate) struct Build {
    /// Directory with one folder a feed, such as osv/ and cisa-kev/
    #[arg(long, value_name = "ROOT")]
    feeds: String,
    /// Where the index goes [default: $SEAWALL_DB, else below the user's cache]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only this feed (repeatable)
    #[arg(long, value_name = "KEY")]
    only: Vec<String>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

#[derive(clap::Args)]
pub(crate) struct Update {
    /// Take the feeds from below this directory or address instead of their usual hosts
    #[arg(long, value_name = "ROOT")]
    feeds: Option<String>,
    /// Index directory [default: $SEAWALL_DB, else below the user's cache]
    #[arg(long, value_name = "DIR")]
    db: Option<PathBuf>,
    /// Only this feed (repeatable)
    #[arg(long, value_name = "KEY")]
    only: Vec<String>,
    /// Open no socket
    #[arg(long)]
    offline: bool,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

impl Verb {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Build(build) => {
                let feeds = select(&build.only)?;
                let roots = Roots::below(&build.feeds).map_err(Failure::usage)?;
                let report = seawall_feeds::build(&roots, &feeds, &directory(build.out)?)
                    .map_err(Failure::could_not_run)?;
                finish(&report, build.format)
            }
            Self::Update(update) => {
                let feeds = select(&update.only)?;
                let roots = match &update.feeds {
                    Some(root) => Roots::below(root).map_err(Failure::usage)?,
                    None => Roots::defaults(),
                };
                let out = directory(update.db)?;
                let runtime = tokio::runtime::Runtime::new()?;
                let report = runtime
                    .block_on(seawall_feeds::update(&roots, &feeds, &out, update.offline))
                    .map_err(Failure::could_not_run)?;
                finish(&report, update.format)
            }
            Self::Inspect(inspect) => inspect.run(),
        }
    }
}

/// `--db`, else `$SEAWALL_DB`, else below the user's cache. An empty variable is none: joined to file names it would
/// be the working directory.
pub(crate) fn directory(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let variable = || std::env::var_os("SEAWALL_DB").filter(|path| !path.is_empty());
    let cache = || output::cache_dir().map(|cache| cache.join("db"));
    named.or_else(|| variable().map(PathBuf::from)).or_else(cache).ok_or_else(|| {
        Failure::usage(anyhow::anyhow!("there is no home to look for the index in"))
            .with_help("name its directory on the command line or in SEAWALL_DB")
    })
}

fn select(only: &[String]) -> Result<Vec<&'static Feed>, Failure> {
    seawall_feeds::select(only).map_err(Failure::usage)
}

/// Rows and drops per feed; a refused feed, or nothing built, is exit 3.
fn finish(report: &BuildReport, format: Format) -> Outcome {
    output::print_problems(&report.problems, format);
    match format {
        Format::Json => output::print_json(report)?,
        Format::Table => output::print(&report_table(report))?,
    }
    if report.failed() {
        return Err(Failure::could_not_run(anyhow::anyhow!(
            "not every feed could be built; see above"
        )));
    }
    Ok(Exit::Pass)
}

fn report_table(report: &BuildReport) -> String {
    let feed = |feed: &seawall_feeds::FeedReport| {
        let drops = feed.drops.iter().map(|(class, count)| format!("{count} {class}"));
        vec![
            feed.key.clone(),
            format!("{:?}", feed.status).to_lowercase(),
            feed.records.to_string(),
            feed.kept.to_string(),
            feed.rows.to_string(),
            feed.newest.map_or("-".to_owned(), day),
            drops.collect::<Vec<_>>().join("; "),
        ]
    };
    let rows: Vec<_> = report.feeds.iter().map(feed).collect();
    let mut text =
        output::table(&["FEED", "STATUS", "RECORDS", "KEPT", "ROWS", "NEWEST", "DROPPED"], &rows);
    let segment = |segment: &seawall_feeds::SegmentReport| {
        let kept = if segment.kept { "kept from an earlier build" } else { "" };
        vec![
            segment.name.clone(),
            segment.rows.to_string(),
            segment.bytes.to_string(),
            segment.newest.map_or("-".to_owned(), day),
            kept.to_owned(),
        ]
    };
    let rows: Vec<_> = report.segments.iter().map(segment).collect();
    text.push('\n');
    text + &output::table(&["SEGMENT", "ROWS", "BYTES", "NEWEST", ""], &rows)
}

/// `2024-10-03` of epoch milliseconds.
pub(crate) fn day(millis: Millis) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map(|time| time.strftime("%Y-%m-%d").to_string())
        .unwrap_or_else(|_| "out of range".to_owned())
}

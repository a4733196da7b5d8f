//! The same templates, constraints and pods for gator and us.
use super::quantiles::Quantiles;
use super::row;
use anyhow::{Context, ensure};
use seawall_bench::gatekeeper::{documents, library, pods};
use seawall_policy::gatekeeper::{
    Inventory, Judge, Library, Limits, Namespace, Origin, Point, Review,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The program, 3.23
    #[arg(long, default_value = "gator")]
    gator: PathBuf,
    /// Times that each judges every pod, in each turn
    #[arg(long, default_value_t = 10)]
    rounds: usize,
    /// Turns, ours and gator's after each other
    #[arg(long, default_value_t = 5)]
    turns: usize,
}

/// Pod, constraint's kind and message.
type Verdicts = BTreeSet<(String, String, String)>;

impl Args {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let (library, pods) = (library(), pods());
        let folder = tempfile::tempdir()?;
        write(folder.path(), documents().iter().chain(&pods))?;
        let inputs = pods.iter().map(reviewed).collect::<anyhow::Result<Vec<_>>>()?;
        let mut judge = Judge::new();
        let ours = verdicts(&library, &mut judge, &inputs)?;
        let theirs = self.verdicts(folder.path())?;
        let differing: Vec<_> = ours.symmetric_difference(&theirs).take(5).collect();
        ensure!(differing.is_empty(), "verdicts differ: {differing:#?}");
        let bytes = pods.iter().map(|pod| pod.to_string().len()).sum::<usize>() / pods.len();
        let constraints = library.constraints().count();
        let what = format!("{constraints} templates on {} pods of {bytes} bytes", pods.len());
        row(&what, &format!("{} violations, all equal", ours.len()))?;
        let (mut own, mut medians, mut last) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.turns {
            own.extend(self.times(&library, &mut judge, &inputs));
            let (median, p99) = self.bench(folder.path())?;
            medians.push(median);
            last.push(p99);
        }
        row("ours, of one pod", &Quantiles::new(own).to_string())?;
        let (median, p99) = (Quantiles::new(medians).at(50), Quantiles::new(last).at(50));
        row("gator's, medians of its turns", &format!("p50 {median:.2?}, p99 {p99:.2?}"))
    }

    fn times(
        &self,
        library: &Library,
        judge: &mut Judge,
        inputs: &[(String, Review)],
    ) -> Vec<Duration> {
        let one = |(_, review): &(String, Review)| {
            let started = Instant::now();
            std::hint::black_box(outcome(library, judge, review));
            started.elapsed()
        };
        let rounds = std::iter::repeat_n(inputs, self.rounds).flatten();
        rounds.map(one).collect()
    }

    /// Its exit code is 1 where there are violations.
    fn verdicts(&self, folder: &Path) -> anyhow::Result<Verdicts> {
        let arguments = ["test", "--enable-k8s-native-validation=false", "--output=json"];
        let told: Vec<Value> = self.ask(&arguments, folder)?;
        let text = |value: &Value, pointer: &str| {
            value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let one = |result: &Value| {
            let pod = text(result, "/violatingObject/metadata/name");
            (pod, text(result, "/constraint/kind"), text(result, "/msg"))
        };
        // It judges templates and constraints too, as they are objects.
        let of_pods = told.iter().filter(|result| text(result, "/violatingObject/kind") == "Pod");
        Ok(of_pods.map(one).collect())
    }

    /// Median and 99th percentile.
    fn bench(&self, folder: &Path) -> anyhow::Result<(Duration, Duration)> {
        let rounds = format!("--iterations={}", self.rounds);
        let told: Vec<Value> =
            self.ask(&["bench", "--engine=rego", "--output=json", &rounds], folder)?;
        let latency = |name: &str| {
            let text = told.first().and_then(|result| result["latencies"][name].as_str());
            text.and_then(duration).with_context(|| format!("gator bench tells no {name}"))
        };
        Ok((latency("p50")?, latency("p99")?))
    }

    fn ask(&self, arguments: &[&str], folder: &Path) -> anyhow::Result<Vec<Value>> {
        let mut command = Command::new(&self.gator);
        let output = command.args(arguments).arg("--filename").arg(folder).output();
        let output = output.with_context(|| format!("cannot run {}", self.gator.display()))?;
        // `bench` warns on the same stream before the document begins.
        let begin = output.stdout.iter().position(|byte| *byte == b'[').unwrap_or(0);
        serde_json::from_slice(&output.stdout[begin..]).with_context(|| {
            format!("gator {arguments:?}: {}", String::from_utf8_lossy(&output.stderr))
        })
    }
}

fn write<'a>(folder: &Path, documents: impl Iterator<Item = &'a Value>) -> anyhow::Result<()> {
    for (number, document) in documents.enumerate() {
        std::fs::write(folder.join(format!("{number:04}.json")), document.to_string())?;
    }
    Ok(())
}

fn reviewed(pod: &Value) -> anyhow::Result<(String, Review)> {
    let review = Review::of_object(pod, Namespace::Unknown, Origin::Original);
    let name = pod["metadata"]["name"].as_str().unwrap_or_default().to_owned();
    Ok((name, review.map_err(anyhow::Error::msg)?))
}

fn outcome(
    library: &Library,
    judge: &mut Judge,
    review: &Review,
) -> seawall_policy::gatekeeper::Outcome {
    judge.review(library, review, &Inventory::default(), Point::Gator, &Limits::default())
}

fn verdicts(
    library: &Library,
    judge: &mut Judge,
    inputs: &[(String, Review)],
) -> anyhow::Result<Verdicts> {
    let mut verdicts = Verdicts::new();
    for (name, review) in inputs {
        let outcome = outcome(library, judge, review);
        ensure!(outcome.undecided.is_empty(), "{name}: {:?}", outcome.undecided);
        verdicts.extend(
            outcome.violations.into_iter().map(|found| (name.clone(), found.kind, found.message)),
        );
    }
    Ok(verdicts)
}

/// As Go writes one below a minute: `1.5s`, `19.2ms`, `800µs`, `90ns`.
fn duration(text: &str) -> Option<Duration> {
    let unit = text.find(|char: char| char.is_alphabetic())?;
    let seconds = match &text[unit..] {
        "s" => 1.0,
        "ms" => 1e-3,
        "µs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    };
    Some(Duration::from_secs_f64(text[..unit].parse::<f64>().ok()? * seconds))
}

#[test]
fn durations_of_go() {
    for (text, micros) in [
        ("1.5s", Some(1_500_000)),
        ("19.25ms", Some(19_250)),
        ("800µs", Some(800)),
        ("1m2s", None),
        ("", None),
    ] {
        assert_eq!(duration(text), micros.map(Duration::from_micros), "{text}");
    }
}

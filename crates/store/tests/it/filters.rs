//! Ten thousand random filters: the database and memory give the same answer on rows that came the usual way.
use crate::bench::*;
use seawall_model::alert::{Actor, Alert};
use seawall_model::attack::Tactic;
use seawall_model::finding::{Epss, Finding, FixStatus, State};
use seawall_model::image::ImageRef;
use seawall_model::package::Target;
use seawall_model::{Id, Severity};
use seawall_store::*;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

const FILTERS: usize = 10_000;
/// Values that occur in rows, almost occur, or could break a writer of SQL.
const TEXTS: [&str; 16] = [
    "shop",
    "Shop",
    "sho",
    "bank",
    "Ärger",
    "ärger",
    "a b",
    "it's",
    "100%",
    "under_score",
    "back\\slash",
    "\u{1f}",
    "",
    "日本",
    "z\u{10ffff}",
    "İstanbul",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    fn text(&mut self) -> String {
        self.pick(&TEXTS).to_owned()
    }

    fn maybe_text(&mut self) -> Option<String> {
        (self.roll(3) > 0).then(|| self.text())
    }
}

async fn fill(bench: &Bench, dice: &mut Dice) {
    let agent = bench.agent("Shop", "node-1").await;
    let mut records = Vec::new();
    for number in 0..30 {
        let time = NOW - dice.roll(10) as i64 * DAY - dice.roll(3) as i64 * 43_200_000;
        let mut firing = firing(&dice.text(), dice.maybe_text().as_deref(), &dice.text(), time);
        firing.severity = dice.pick(&Severity::ALL);
        firing.tactics = Tactic::ALL.into_iter().filter(|_| dice.roll(6) == 0).collect();
        firing.location.pod = dice.maybe_text();
        firing.location.image =
            dice.maybe_text().map(|name| ImageRef { name, ..ImageRef::default() });
        firing.lost_nearby = dice.roll(4) as u64;
        firing.process[0].exe = format!("/bin/{number}");
        firing.output = dice.text();
        if dice.roll(2) == 0 {
            firing.actor = Some(Actor {
                user: dice.text(),
                groups: Vec::new(),
                address: None,
                user_agent: None,
            });
        }
        records.push(fired(firing));
    }
    for number in 0..12 {
        let state =
            dice.pick(&[State::Healthy, State::Unhealthy, State::NotApplicable, State::Unknown]);
        let mut assessment =
            assessment(&dice.text(), &format!("web{number}"), &[("SW-C-1", state)], NOW);
        for finding in &mut assessment.findings {
            finding.severity = dice.pick(&Severity::ALL);
            finding.message = dice.maybe_text();
            finding.reason = dice.maybe_text();
            finding.frameworks = (0..dice.roll(3)).map(|_| dice.text()).collect();
        }
        records.push(seawall_model::record::Record::Assessment(Box::new(assessment)));
    }
    let held = package("requests", "2.0");
    records.push(inventory(Target::Image { image: image("reg/shop:1", "aa") }, vec![held.clone()]));
    let inventory = bench.send(&agent, records).await.inventories[0];
    let flaws = (0..14).map(|number| {
        let fix = dice.pick(&[FixStatus::Available, FixStatus::None, FixStatus::WillNotFix]);
        let mut flaw = flaw(&format!("CVE-{number}"), &held, dice.pick(&Severity::ALL), fix);
        flaw.title = dice.maybe_text();
        flaw.aliases = (0..dice.roll(3)).map(|_| dice.text()).collect();
        flaw.kev = (dice.roll(2) == 0).then_some(NOW);
        let score = dice.roll(11) as f64 / 10.0;
        flaw.epss = (dice.roll(2) == 0).then_some(Epss { score, percentile: 0.0, as_of: NOW });
        flaw
    });
    let flaws = flaws.collect();
    bench.store.replace_vulnerabilities(inventory, flaws, Vec::new()).await.unwrap();
    bench.clock.advance(DAY);
}

fn quote(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What rows hold, by field: values that match are worth more than values that do not.
type Values = HashMap<&'static str, Vec<String>>;

async fn values<N: Noun>(bench: &Bench) -> Values {
    let mut values = Values::new();
    for field in N::TABLE.fields.iter().filter(|field| field.kind == Kind::Text) {
        let facets = bench.store.facet::<N>(&Visible::system(), "", field.name, 50).await.unwrap();
        values.insert(field.name, facets.into_iter().filter_map(|facet| facet.value).collect());
    }
    values
}

fn term(dice: &mut Dice, table: &Table, values: &Values) -> String {
    if dice.roll(6) == 0 {
        return quote(&dice.text());
    }
    let field = &table.fields[dice.roll(table.fields.len())];
    let name = field.name;
    if dice.roll(8) == 0 {
        return format!("{name}:*");
    }
    let operator = dice.pick(&[">", ">=", "<", "<=", ""]);
    match field.kind {
        Kind::Text | Kind::List => {
            let value = |dice: &mut Dice| {
                let plain = dice.pick(&[
                    "shop*",
                    "S*",
                    "Ä*",
                    "it*",
                    "SW-*",
                    "CVE-1*",
                    "日*",
                    "credential*",
                    "node-1",
                ]);
                let there = values.get(name).filter(|values| !values.is_empty());
                match (dice.roll(4), there) {
                    (0, _) => plain.to_owned(),
                    (1, _) | (_, None) => quote(&dice.text()),
                    (_, Some(values)) => quote(&values[dice.roll(values.len())]),
                }
            };
            let values: Vec<String> = (0..=dice.roll(2)).map(|_| value(dice)).collect();
            format!("{name}:{}", values.join(","))
        }
        Kind::Word(words) => format!("{name}:{}", dice.pick(words).to_uppercase()),
        Kind::Severity => {
            let levels = if operator.is_empty() { &Severity::ALL[..] } else { &Severity::ALL[..5] };
            format!("{name}:{operator}{}", dice.pick(levels))
        }
        Kind::Number => format!("{name}:{operator}{}", dice.roll(5)),
        Kind::Decimal => {
            format!("{name}:{operator}{}", dice.pick(&["0", "0.1", "0.3", "0.7", "1", "-1"]))
        }
        Kind::Time | Kind::Deadline => {
            let date = dice.pick(&[
                "2026-11-20",
                "2026-11-24",
                "2026-11-23T12:00Z",
                "2026-11-22T00:00:00",
            ]);
            match operator.is_empty() || dice.roll(2) == 0 {
                true => format!("{name}:{operator}{date}"),
                false => {
                    format!("{name}:{operator}{}", dice.pick(&["1d", "60h", "2d", "1w", "0s"]))
                }
            }
        }
        Kind::Bool => format!("{name}:{}", dice.pick(&["true", "false", "YES", "no"])),
    }
}

fn filter(dice: &mut Dice, table: &Table, values: &Values, depth: usize) -> String {
    match dice.roll(if depth > 3 { 2 } else { 7 }) {
        0..=2 => term(dice, table, values),
        3 => format!("-{}", term(dice, table, values)),
        4 => format!("-({})", filter(dice, table, values, depth + 1)),
        5 => format!(
            "{} {}",
            filter(dice, table, values, depth + 1),
            filter(dice, table, values, depth + 1)
        ),
        _ => format!(
            "({} OR {})",
            filter(dice, table, values, depth + 1),
            filter(dice, table, values, depth + 1)
        ),
    }
}

/// Returns how many filters matched some rows but not all: the test must not agree on nothing.
async fn agree<N: Noun>(bench: &Bench, dice: &mut Dice, filters: usize) -> usize {
    use seawall_model::time::Clock;
    let rows: Vec<N> = bench.all().await;
    let json: Vec<Value> = rows.iter().map(|row| serde_json::to_value(row).unwrap()).collect();
    let values = values::<N>(bench).await;
    let mut telling = 0;
    for _ in 0..filters {
        let text = filter(dice, N::TABLE, &values, 0);
        let parsed = Filter::parse::<N>(&text, bench.clock.now())
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        let matches = |(_, json): &(&N, &Value)| parsed.matches_json::<N>(json);
        let memory: BTreeSet<Id> =
            rows.iter().zip(&json).filter(matches).map(|(row, _)| row.id()).collect();
        let found: Vec<N> = bench.seen(&Visible::system(), &text).await;
        let database: BTreeSet<Id> = found.iter().map(Noun::id).collect();
        assert_eq!(database, memory, "{text}");
        telling += usize::from(!memory.is_empty() && memory.len() < rows.len());
    }
    telling
}

pub(crate) async fn ten_thousand_filters_agree(bench: &Bench) {
    let mut dice = Dice(20_261_124);
    fill(bench, &mut dice).await;
    let mut telling = agree::<Alert>(bench, &mut dice, FILTERS / 2).await;
    telling += agree::<Finding>(bench, &mut dice, FILTERS * 2 / 5).await;
    telling += agree::<Image>(bench, &mut dice, FILTERS / 20).await;
    telling += agree::<seawall_model::asset::Asset>(bench, &mut dice, FILTERS / 20).await;
    assert!(telling > FILTERS * 2 / 5, "only {telling} filters told rows apart");
}

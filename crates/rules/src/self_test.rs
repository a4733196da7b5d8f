//! Runs the `tests` that stand in rules files.
use crate::audit::Decoder;
use crate::evaluate::Evaluation;
use crate::event_view::{EventView, FieldEvent};
use crate::rule::{Rule, RuleTest};
use crate::rule_set::RuleSet;
use crate::yaml::Place;
use seawall_model::Problem;
use seawall_model::event::Event;
use serde_json::Value as Json;

/// Between events of a test that say nothing of time.
const STEP_NS: u64 = 1_000_000;

/// How one test of a rule went.
#[derive(Debug)]
pub struct TestResult {
    pub rule: String,
    pub id: Option<String>,
    pub test: String,
    pub file: String,
    pub place: Place,
    /// Empty where it passed; else what was expected, and per event the condition's tree with values.
    pub failure: Vec<String>,
}

impl TestResult {
    pub fn passed(&self) -> bool {
        self.failure.is_empty()
    }
}

/// An event of a test: field names with values, or a whole record of an audit log.
enum Form {
    Fields(FieldEvent),
    Record(Event),
}

impl Form {
    fn read(json: &Json) -> Result<(Self, Vec<Problem>), Problem> {
        if json.get("kind").is_none_or(|kind| kind != "Event") {
            let (event, problems) = FieldEvent::from_json(json)?;
            return Ok((Self::Fields(event), problems));
        }
        let decoded = Decoder::default().decode(json.to_string().as_bytes());
        let record = decoded.events.into_iter().next();
        let record = record.ok_or_else(|| Problem::error("type", "no record of an audit log"))?;
        Ok((Self::Record(Event::of_audit(record.event, 1)), decoded.problems))
    }

    fn view(&self) -> &dyn EventView {
        match self {
            Self::Fields(event) => event,
            Self::Record(event) => event,
        }
    }

    fn set_time(&mut self, time_ns: u64) {
        match self {
            Self::Fields(event) => event.set_time(Some(time_ns)),
            Self::Record(event) => event.time_ns = Some(time_ns),
        }
    }
}

impl RuleSet {
    /// Runs every test of every rule, each with a fresh memory. Disabled rules are tested too.
    pub fn test(&self) -> Vec<TestResult> {
        let rules = self.rules.iter().enumerate();
        rules
            .flat_map(|(index, rule)| {
                rule.tests.iter().map(move |test| self.run(index as u32, rule, test))
            })
            .collect()
    }

    fn run(&self, index: u32, rule: &Rule, test: &RuleTest) -> TestResult {
        let mut state = self.state();
        let mut failure = Vec::new();
        let mut trees = Vec::new();
        let mut fired = false;
        let mut time = 0;
        for (number, (json, after)) in test.events.iter().enumerate() {
            let (mut event, problems) = match Form::read(json) {
                Ok(read) => read,
                Err(problem) => {
                    failure.push(format!("event {}: {}", number + 1, problem.message));
                    continue;
                }
            };
            for problem in problems {
                let help = problem.help.map(|help| format!(", {help}")).unwrap_or_default();
                failure.push(format!("event {}: {}{help}", number + 1, problem.message));
            }
            time = match event.view().time_ns() {
                Some(own) => own,
                None => time + after.unwrap_or(STEP_NS),
            };
            event.set_time(time);
            let mut evaluation =
                Evaluation::new(event.view(), &self.nodes, self.slots, &mut state.memo);
            fired |= self.decide(index, &mut evaluation, &mut state.memory).is_some();
            let steps = rule.sequence.iter().flat_map(|sequence| &sequence.steps);
            for (step, root) in steps.chain(&rule.root).enumerate() {
                let what = if rule.sequence.is_some() {
                    format!(", step {}", step + 1)
                } else {
                    String::new()
                };
                trees.push(format!("event {}{what}:", number + 1));
                trees.extend(evaluation.tree(*root).into_iter().map(|line| format!("  {line}")));
            }
        }
        if fired != test.fires {
            let words = |fires: bool| if fires { "fire" } else { "stay silent" };
            failure.push(format!("expected to {}, did {}", words(test.fires), words(fired)));
            failure.extend(trees);
        }
        TestResult {
            rule: rule.name.clone(),
            id: rule.id.clone(),
            test: test.name.clone(),
            file: rule.file.clone(),
            place: test.place,
            failure,
        }
    }
}

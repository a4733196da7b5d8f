//! A rule's output: text with `%field`, `%field[arg]`, `%transformer(field)` and `%step1.field`.
use crate::condition::{Argument, Operand};
use crate::event_view::EventView;
use crate::parse::{Text, parse_output_operand};
use crate::program::Program;
use crate::source::{self, Slots, Source};
use crate::value::Value;
use crate::yaml::Place;
use seawall_model::Problem;

/// What an absent field prints.
pub(crate) const ABSENT: &str = "<NA>";

/// A parsed output.
#[derive(Debug, Default)]
pub(crate) struct Template {
    parts: Vec<Part>,
    /// Each named value once, in order: what `output_fields` carries.
    pub(crate) columns: Vec<Column>,
}

#[derive(Debug)]
enum Part {
    Text(String),
    Column(usize),
}

/// One value of the output.
#[derive(Debug)]
pub(crate) struct Column {
    /// As written after the percent sign.
    pub(crate) name: String,
    /// Which step of a sequence it comes from, counted from 0; the last step is `None`.
    pub(crate) step: Option<usize>,
    pub(crate) source: Source,
}

impl Template {
    /// Parses the text of an output. `steps` is the number of steps before the last one.
    pub(crate) fn parse(text: &Text<'_>, steps: usize) -> Result<Self, (Problem, Place)> {
        let mut template = Self::default();
        let mut literal = String::new();
        // Old Falco outputs begin with `*`, which asked for printing in spite of absent fields.
        let mut at = usize::from(text.text.starts_with('*'));
        while at < text.text.len() {
            let rest = &text.text[at..];
            let Some(percent) = rest.find('%') else {
                literal.push_str(rest);
                break;
            };
            literal.push_str(&rest[..percent]);
            at += percent + 1;
            if text.text[at..].starts_with('%') {
                literal.push('%');
                at += 1;
                continue;
            }
            let (step, skip) = step_prefix(&text.text[at..]);
            if step.is_some_and(|step| step >= steps) {
                let message = format!("the rule has {steps} steps before its condition");
                return Err((Problem::error("output", message), text.places[at]));
            }
            at += skip;
            let tail = Text { text: &text.text[at..], places: &text.places[at..] };
            let (operand, length) =
                parse_output_operand(&tail).map_err(|(mut problem, place)| {
                    if problem.code == "syntax" {
                        problem.code = "output".to_owned();
                    }
                    // At the percent sign, unless the field itself goes on.
                    (
                        problem,
                        if place == text.places[at] { text.places[at - skip - 1] } else { place },
                    )
                })?;
            at += length;
            if !literal.is_empty() {
                template.parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            let column = template.column(step, &operand)?;
            template.parts.push(Part::Column(column));
        }
        if !literal.is_empty() {
            template.parts.push(Part::Text(literal));
        }
        Ok(template)
    }

    /// Adds the value, and for a transformer its plain fields too, as Falco's output fields do.
    fn column(
        &mut self,
        step: Option<usize>,
        operand: &Operand,
    ) -> Result<usize, (Problem, Place)> {
        let source = source::resolve(operand)?;
        let prefix = step.map(|step| format!("step{}.", step + 1)).unwrap_or_default();
        let name = format!("{prefix}{}", written(operand, &source));
        let index =
            self.columns.iter().position(|column| column.name == name).unwrap_or_else(|| {
                self.columns.push(Column { name, step, source });
                self.columns.len() - 1
            });
        if let Operand::Transform { arguments, .. } = operand {
            for argument in arguments {
                if let Argument::Operand(inner) = argument {
                    self.column(step, inner)?;
                }
            }
        }
        Ok(index)
    }

    pub(crate) fn give_slots(&mut self, program: &mut Program) {
        self.columns.iter_mut().for_each(|column| program.give_slots(&mut column.source));
    }

    /// The values of one step's columns (or of the last step's), by index of the column.
    pub(crate) fn read<'e>(
        &self,
        step: Option<usize>,
        event: &'e dyn EventView,
        slots: &mut Slots<'e>,
    ) -> Vec<(usize, Option<Value<'static>>)> {
        self.columns
            .iter()
            .enumerate()
            .filter(|(_, column)| column.step == step)
            .map(|(index, column)| {
                (index, column.source.value(event, slots).map(Value::into_owned))
            })
            .collect()
    }

    /// Prints the text and the fields from values by column.
    pub(crate) fn render(
        &self,
        values: &[Option<Value<'static>>],
    ) -> (String, Vec<(String, serde_json::Value)>) {
        let value = |index: usize| values.get(index).and_then(Option::as_ref);
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(literal) => text.push_str(literal),
                Part::Column(index) => match value(*index) {
                    Some(value) => text.push_str(&printable(&value.render())),
                    None => text.push_str(ABSENT),
                },
            }
        }
        let fields = self.columns.iter().enumerate().map(|(index, column)| {
            (column.name.clone(), value(index).map_or(serde_json::Value::Null, Value::json))
        });
        (text, fields.collect())
    }
}

/// Falco names a field as it was written, not by our canonical form.
fn written(operand: &Operand, source: &Source) -> String {
    match operand {
        Operand::Field(name) => match &name.argument {
            Some(argument) => format!("{}[{argument}]", name.name),
            None => name.name.clone(),
        },
        Operand::Transform { .. } => source.written(),
    }
}

/// `step2.` is step 1 from 0, and how many bytes it takes.
fn step_prefix(text: &str) -> (Option<usize>, usize) {
    let parsed =
        text.strip_prefix("step").and_then(|rest| rest.split_once('.')).and_then(|(digits, _)| {
            let number: usize = digits.parse().ok()?;
            Some((number.checked_sub(1)?, "step.".len() + digits.len()))
        });
    match parsed {
        Some((step, length)) => (Some(step), length),
        None => (None, 0),
    }
}

/// Control characters would forge lines in a log.
fn printable(text: &str) -> std::borrow::Cow<'_, str> {
    if !text.contains(char::is_control) {
        return text.into();
    }
    let escape =
        |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escape).collect::<String>().into()
}

//! Where a comparison's values come from: fields and the transformers over them, resolved and typed.
use crate::condition::{Argument as Written, FieldName, Operand, Transformer};
use crate::event_view::EventView;
use crate::fields::{self, BadField, FieldRef};
use crate::suggest::did_you_mean;
use crate::value::{Kind, Quantity, Value};
use crate::yaml::Place;
use base64::Engine;
use seawall_model::Problem;

/// A resolved operand.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Field {
        field: FieldRef,
        /// Where the evaluator keeps the value during one event, for fields that are dear to make.
        slot: Option<u16>,
    },
    Transform {
        transformer: Transformer,
        arguments: Vec<Argument>,
        selector: Option<char>,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum Argument {
    Source(Source),
    Literal(String),
}

/// Values of costly fields during one event.
pub(crate) type Slots<'e> = Vec<Option<Option<Value<'e>>>>;

impl Source {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Field { field, .. } => field.field().kind,
            Self::Transform { transformer: Transformer::Len, .. } => Kind::Number,
            Self::Transform { transformer: Transformer::Val, arguments, .. } => {
                match arguments.first() {
                    Some(Argument::Source(source)) => source.kind(),
                    _ => Kind::Text,
                }
            }
            Self::Transform { .. } => Kind::Text,
        }
    }

    pub(crate) fn quantity(&self) -> Quantity {
        match self {
            Self::Field { field, .. } => field.quantity(),
            Self::Transform { transformer, arguments, selector } => match transformer {
                Transformer::GetOpt if selector.is_none() => Quantity::List,
                Transformer::GetOpt | Transformer::Join | Transformer::Concat => Quantity::One,
                Transformer::Len => match argument_quantity(arguments) {
                    Quantity::Any => Quantity::Any,
                    _ => Quantity::One,
                },
                _ => argument_quantity(arguments),
            },
        }
    }

    /// All fields it reads.
    pub(crate) fn fields<'s>(&'s self, found: &mut Vec<&'s FieldRef>) {
        match self {
            Self::Field { field, .. } => found.push(field),
            Self::Transform { arguments, .. } => arguments.iter().for_each(|argument| {
                if let Argument::Source(source) = argument {
                    source.fields(found);
                }
            }),
        }
    }

    /// Text that may be a number: arguments of calls and other open-ended values.
    pub(crate) fn is_loose(&self) -> bool {
        matches!(self, Self::Field { field, .. }
            if field.field().loose && field.field().kind == Kind::Text)
    }

    /// As a rule writes it.
    pub(crate) fn written(&self) -> String {
        match self {
            Self::Field { field, .. } => field.written(),
            Self::Transform { transformer, arguments, selector } => {
                let arguments: Vec<String> = arguments
                    .iter()
                    .map(|argument| match argument {
                        Argument::Source(source) => source.written(),
                        Argument::Literal(text) => format!("{text:?}"),
                    })
                    .collect();
                let selector = selector.map(|letter| format!("[{letter}]")).unwrap_or_default();
                format!("{}({}){selector}", transformer.as_str(), arguments.join(", "))
            }
        }
    }

    /// Calls `then` with the value, made at most once per event where it is costly.
    pub(crate) fn read<'e, R>(
        &self,
        event: &'e dyn EventView,
        slots: &mut Slots<'e>,
        then: impl FnOnce(Option<&Value<'e>>) -> R,
    ) -> R {
        match self {
            Self::Field { field, slot: None } => then(event.value(field).as_ref()),
            Self::Field { field, slot: Some(slot) } => {
                let kept = &mut slots[*slot as usize];
                then(kept.get_or_insert_with(|| event.value(field)).as_ref())
            }
            Self::Transform { .. } => then(self.value(event, slots).as_ref()),
        }
    }

    pub(crate) fn value<'e>(
        &self,
        event: &'e dyn EventView,
        slots: &mut Slots<'e>,
    ) -> Option<Value<'e>> {
        match self {
            Self::Field { .. } => self.read(event, slots, |value| value.cloned()),
            Self::Transform { transformer, arguments, selector } => {
                transform(*transformer, arguments, *selector, event, slots)
            }
        }
    }
}

fn argument_quantity(arguments: &[Argument]) -> Quantity {
    match arguments.first() {
        Some(Argument::Source(source)) => source.quantity(),
        _ => Quantity::One,
    }
}

fn transform<'e>(
    transformer: Transformer,
    arguments: &[Argument],
    selector: Option<char>,
    event: &'e dyn EventView,
    slots: &mut Slots<'e>,
) -> Option<Value<'e>> {
    let literal = |index: usize| match arguments.get(index) {
        Some(Argument::Literal(text)) => text.as_str(),
        _ => "",
    };
    let mut read = |argument: &Argument| match argument {
        Argument::Source(source) => source.value(event, slots),
        Argument::Literal(text) => Some(Value::owned(text.clone())),
    };
    if transformer == Transformer::Concat {
        let parts: Option<Vec<Value<'e>>> = arguments.iter().map(read).collect();
        return Some(Value::owned(parts?.iter().map(|part| part.render().into_owned()).collect()));
    }
    let value = read(arguments.first()?)?;
    match transformer {
        Transformer::Val => Some(value),
        Transformer::Len => Some(length(&value, argument_quantity(arguments))),
        Transformer::Join => match value {
            Value::Many(values) => {
                let parts: Vec<_> = values.iter().map(|value| value.render()).collect();
                Some(Value::owned(parts.join(literal(1))))
            }
            one => Some(one),
        },
        Transformer::GetOpt => options(&value.render(), literal(1), selector),
        _ => each(value, |text| text_transform(transformer, text)),
    }
}

fn each<'e>(value: Value<'e>, change: impl Fn(&str) -> Option<String>) -> Option<Value<'e>> {
    match value {
        Value::Text(text) => change(&text).map(Value::owned),
        Value::Many(values) => {
            let changed = values.into_iter().filter_map(|value| match value {
                Value::Text(text) => change(&text).map(Value::owned),
                _ => None,
            });
            Some(Value::Many(changed.collect()))
        }
        _ => None,
    }
}

fn text_transform(transformer: Transformer, text: &str) -> Option<String> {
    match transformer {
        Transformer::ToLower => Some(text.to_ascii_lowercase()),
        Transformer::ToUpper => Some(text.to_ascii_uppercase()),
        // Unlike basename(1), a trailing slash leaves nothing.
        Transformer::Basename => Some(text.rsplit('/').next().unwrap_or_default().to_owned()),
        Transformer::B64 => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(text.trim_end()).ok()?;
            Some(String::from_utf8_lossy(&bytes).into_owned())
        }
        _ => None,
    }
}

fn length<'e>(value: &Value<'_>, quantity: Quantity) -> Value<'e> {
    let of = |value: &Value<'_>| Value::Number(value.render().chars().count() as i128);
    match value {
        Value::Many(values) if quantity == Quantity::Any => {
            Value::Many(values.iter().map(of).collect())
        }
        Value::Many(values) => Value::Number(values.len() as i128),
        one => of(one),
    }
}

/// getopt(3) over arguments split at blanks: the letters found, or the value of the selected one. Ends at `--`;
/// operands in between are passed over, as GNU does.
fn options<'e>(arguments: &str, letters: &str, selector: Option<char>) -> Option<Value<'e>> {
    let takes_value = |letter: char| {
        let at = letters.find(letter)?;
        Some(letters[at + letter.len_utf8()..].starts_with(':'))
    };
    let mut found = Vec::new();
    let mut words = arguments.split_whitespace();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let Some(cluster) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
            continue;
        };
        let mut rest = cluster.chars();
        while let Some(letter) = rest.next() {
            let Some(takes_value) = takes_value(letter).filter(|_| letter != ':') else { continue };
            let value = takes_value.then(|| match rest.as_str() {
                "" => words.next().unwrap_or_default(),
                attached => attached,
            });
            if selector == Some(letter) {
                return Some(Value::owned(value.unwrap_or_default().to_owned()));
            }
            found.push(Value::owned(letter.to_string()));
            if takes_value {
                break;
            }
        }
    }
    (selector.is_none() && !found.is_empty()).then_some(Value::Many(found))
}

/// Resolves an operand. `step` prefixes (`step1.proc.name`) are the output's concern, not handled here.
pub(crate) fn resolve(operand: &Operand) -> Result<Source, (Problem, Place)> {
    match operand {
        Operand::Field(name) => Ok(Source::Field { field: resolve_field(name)?, slot: None }),
        Operand::Transform { transformer, arguments, selector, place } => {
            let wrong = |code: &str, message: String| (Problem::error(code, message), *place);
            let word = transformer.as_str();
            let wanted = match transformer {
                Transformer::Join | Transformer::GetOpt => 2..=2,
                Transformer::Concat => 1..=64,
                _ => 1..=1,
            };
            if !wanted.contains(&arguments.len()) {
                return Err(wrong(
                    "syntax",
                    format!("`{word}` takes {} arguments", wanted.start()),
                ));
            }
            let selector = match selector.as_deref().map(|text| (text, text.chars().count())) {
                None => None,
                Some((text, 1)) if *transformer == Transformer::GetOpt => text.chars().next(),
                Some(_) => return Err(wrong("syntax", format!("`{word}` takes no such selector"))),
            };
            let arguments: Vec<Argument> = arguments
                .iter()
                .map(|argument| match argument {
                    Written::Operand(operand) => Ok(Argument::Source(resolve(operand)?)),
                    Written::Literal(text) => Ok(Argument::Literal(text.clone())),
                })
                .collect::<Result<_, (Problem, Place)>>()?;
            check_types(*transformer, &arguments).map_err(|message| wrong("type", message))?;
            Ok(Source::Transform { transformer: *transformer, arguments, selector })
        }
    }
}

fn check_types(transformer: Transformer, arguments: &[Argument]) -> Result<(), String> {
    let word = transformer.as_str();
    let text_only = matches!(
        transformer,
        Transformer::ToLower
            | Transformer::ToUpper
            | Transformer::B64
            | Transformer::Basename
            | Transformer::GetOpt
    );
    match (arguments.first(), arguments.get(1)) {
        (Some(Argument::Literal(_)), _) if transformer != Transformer::Concat => {
            Err(format!("`{word}` takes a field first"))
        }
        (_, Some(Argument::Source(_))) if transformer != Transformer::Concat => {
            Err(format!("the second argument of `{word}` is a quoted text"))
        }
        (Some(Argument::Source(source)), _) if text_only && source.kind() != Kind::Text => Err(
            format!("`{word}` takes text, `{}` is a {}", source.written(), source.kind().as_str()),
        ),
        _ => Ok(()),
    }
}

fn resolve_field(name: &FieldName) -> Result<FieldRef, (Problem, Place)> {
    fields::find(&name.name, name.argument.as_deref()).map_err(|error| {
        let problem = match error {
            BadField::Argument(message) => Problem::error("type", message),
            BadField::Unknown => {
                let mut problem =
                    Problem::error("unknown-field", format!("no field `{}`", name.name));
                problem.help = did_you_mean(&name.name, fields::names());
                problem
            }
        };
        (problem, name.place)
    })
}

#[test]
fn getopt_follows_posix_clusters() {
    let letters =
        |arguments, spec| options(arguments, spec, None).map(|value| value.render().into_owned());
    assert_eq!(letters("-n -t 5 file", "nt:").as_deref(), Some("n,t"));
    assert_eq!(letters("-nt5", "nt:").as_deref(), Some("n,t"));
    assert_eq!(letters("-- -n", "n"), None);
    assert_eq!(letters("--name -x", "n"), None);
    let value =
        |arguments| options(arguments, "ne:", Some('e')).map(|value| value.render().into_owned());
    assert_eq!(value("-n -e /bin/sh").as_deref(), Some("/bin/sh"));
    assert_eq!(value("-ne/bin/sh").as_deref(), Some("/bin/sh"));
    assert_eq!(value("-n"), None);
}

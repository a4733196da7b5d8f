//! Control files: YAML text to a checked [`Control`], or problems with their places.
use crate::cel::{self, Expression, LISTS, Term, Type};
use crate::path::FieldPath;
use seawall_model::{Problem, Severity};
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// Whether findings count in scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lifecycle {
    Stable,
    Preview,
}

/// A framework a control belongs to; without a version, to each of its versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Membership {
    pub framework: String,
    pub version: Option<String>,
    /// Section numbers, as the framework writes them.
    pub sections: Vec<String>,
}

/// What one control demands of an object, compiled.
#[derive(Debug)]
pub struct Control {
    /// Path of the file it came from.
    pub file: String,
    /// `SW-C-0017`.
    pub id: String,
    pub title: String,
    pub severity: Severity,
    pub lifecycle: Lifecycle,
    pub score_group: String,
    /// Weight in risk scores where it is not the severity's.
    pub base_score: Option<f64>,
    /// Keys of the checklist it answers.
    pub covers: Vec<String>,
    pub frameworks: Vec<Membership>,
    pub description: String,
    pub remediation: String,
    /// Defaults of the parameters.
    pub params: Map<String, Value>,
    /// Reason word and the condition under which the control does not apply.
    pub(crate) unless: Vec<(String, Expression)>,
    pub(crate) validations: Vec<Validation>,
    pub(crate) fix: Vec<FixOp>,
    pub(crate) tests: Vec<TestCase>,
}

#[derive(Debug)]
pub(crate) struct Validation {
    pub(crate) expression: Expression,
    pub(crate) path: FieldPath,
    pub(crate) message: String,
}

/// A change that heals, in terms of [`FieldPath`]s.
#[derive(Clone, Debug)]
pub(crate) struct FixOp {
    pub(crate) path: FieldPath,
    /// `None` removes.
    pub(crate) value: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct TestCase {
    pub(crate) name: Option<String>,
    pub(crate) params: Map<String, Value>,
    pub(crate) expect: Expect,
    pub(crate) fragment: Value,
    pub(crate) line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expect {
    Fails,
    Passes,
    NotApplicable,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct File {
    id: Spanned<String>,
    title: String,
    severity: Severity,
    lifecycle: Lifecycle,
    score_group: Spanned<String>,
    base_score: Option<f64>,
    covers: Vec<String>,
    frameworks: BTreeMap<String, Vec<String>>,
    description: String,
    remediation: String,
    #[serde(rename = "match")]
    matches: Spanned<Value>,
    #[serde(default)]
    params: BTreeMap<String, ParamFile>,
    #[serde(default)]
    unless: BTreeMap<String, Spanned<String>>,
    validations: Vec<ValidationFile>,
    #[serde(default)]
    fix: Vec<FixFile>,
    #[serde(default)]
    tests: Vec<Spanned<TestFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ParamFile {
    #[serde(rename = "type")]
    kind: Spanned<String>,
    default: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ValidationFile {
    expression: Spanned<String>,
    path: Spanned<String>,
    message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FixFile {
    op: Spanned<String>,
    path: Spanned<String>,
    value: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TestFile {
    name: Option<String>,
    #[serde(default)]
    params: Map<String, Value>,
    fails: Option<Value>,
    passes: Option<Value>,
    not_applicable: Option<Value>,
}

/// Collects problems of one file.
struct Reader<'a> {
    file: &'a str,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem<T>(&mut self, code: &str, at: &Spanned<T>, message: String) {
        let (line, column) = (at.referenced.line(), at.referenced.column());
        let place = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.problems
            .push(Problem::error(code, message).file(self.file).at(place(line), place(column)));
    }

    fn expression(
        &mut self,
        text: &Spanned<String>,
        params: &BTreeMap<String, Type>,
    ) -> Option<Expression> {
        match cel::compile(&text.value, params) {
            Ok(expression) => Some(expression),
            Err(errors) => {
                for error in errors {
                    self.problem("expression", text, error.to_string());
                }
                None
            }
        }
    }

    fn path(&mut self, text: &Spanned<String>) -> Option<FieldPath> {
        match FieldPath::parse(&text.value) {
            Ok(path) => Some(path),
            Err(message) => {
                self.problem("path", text, message);
                None
            }
        }
    }
}

/// Reads one control file. Every error of the file is reported; any error refuses the control.
pub(crate) fn load(file: &str, text: &str) -> Result<Control, Vec<Problem>> {
    let parsed: File = serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        let place_of = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        // The error ends in the place, which the problem carries itself.
        let message = error.without_snippet().to_string();
        vec![Problem::error("control", message).file(file).at(place_of(place.0), place_of(place.1))]
    })?;
    let mut reader = Reader { file, problems: Vec::new() };
    let control = reader.control(parsed);
    let item = control.id.clone();
    if reader.problems.is_empty() {
        return Ok(control);
    }
    Err(reader.problems.into_iter().map(|problem| problem.item(item.clone())).collect())
}

fn well_formed(id: &str) -> bool {
    id.strip_prefix("SW-C-")
        .is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
}

impl Reader<'_> {
    fn control(&mut self, parsed: File) -> Control {
        if !well_formed(&parsed.id.value) {
            self.problem(
                "id",
                &parsed.id,
                format!("`{}` is no control id such as SW-C-0017", parsed.id.value),
            );
        }
        if crate::score::maximum(&parsed.score_group.value).is_none() {
            let message = format!(
                "unknown score group `{}`: expected one of {}",
                parsed.score_group.value,
                crate::score::groups()
            );
            self.problem("score-group", &parsed.score_group, message);
        }
        if parsed.matches.value != "workloads" {
            let message =
                "only `match: workloads` is known here; `matchConditions` cannot see the prelude"
                    .to_owned();
            self.problem("match", &parsed.matches, message);
        }
        let (types, params) = self.params(&parsed.params);
        let mut unless = Vec::new();
        for (reason, text) in &parsed.unless {
            unless.extend(
                self.expression(text, &types).map(|expression| (reason.clone(), expression)),
            );
        }
        let mut validations = Vec::new();
        for validation in parsed.validations {
            validations.extend(self.validation(validation, &types));
        }
        let fix = parsed.fix.iter().filter_map(|op| self.fix(op, &validations)).collect();
        let tests = parsed.tests.into_iter().filter_map(|test| self.test(test)).collect();
        let frameworks =
            parsed.frameworks.into_iter().map(|(name, sections)| match name.split_once('@') {
                Some((name, version)) => Membership {
                    framework: name.to_owned(),
                    version: Some(version.to_owned()),
                    sections,
                },
                None => Membership { framework: name, version: None, sections },
            });
        Control {
            file: self.file.to_owned(),
            id: parsed.id.value,
            title: parsed.title,
            severity: parsed.severity,
            lifecycle: parsed.lifecycle,
            score_group: parsed.score_group.value,
            base_score: parsed.base_score,
            covers: parsed.covers,
            frameworks: frameworks.collect(),
            description: parsed.description.trim_end().to_owned(),
            remediation: parsed.remediation.trim_end().to_owned(),
            params,
            unless,
            validations,
            fix,
            tests,
        }
    }

    fn params(
        &mut self,
        declared: &BTreeMap<String, ParamFile>,
    ) -> (BTreeMap<String, Type>, Map<String, Value>) {
        let (mut types, mut defaults) = (BTreeMap::new(), Map::new());
        for (name, param) in declared {
            let kind = match (param.kind.value.as_str(), &param.default) {
                ("boolean", Value::Bool(_)) => Type::Bool,
                ("string", Value::String(_)) => Type::String,
                ("integer", Value::Number(number)) if number.is_i64() => Type::Int,
                ("strings", Value::Array(items)) if items.iter().all(Value::is_string) => {
                    Type::List(Box::new(Type::String))
                }
                (kind @ ("boolean" | "string" | "integer" | "strings"), _) => {
                    self.problem(
                        "param",
                        &param.kind,
                        format!("the default of `{name}` is no {kind}"),
                    );
                    continue;
                }
                (kind, _) => {
                    self.problem(
                        "param",
                        &param.kind,
                        format!(
                            "unknown type `{kind}`: expected boolean, string, integer or strings"
                        ),
                    );
                    continue;
                }
            };
            types.insert(name.clone(), kind);
            defaults.insert(name.clone(), param.default.clone());
        }
        (types, defaults)
    }

    fn validation(
        &mut self,
        validation: ValidationFile,
        types: &BTreeMap<String, Type>,
    ) -> Option<Validation> {
        let expression = self.expression(&validation.expression, types);
        let path = self.path(&validation.path)?;
        let expression = expression?;
        let lists = expression.terms.iter().filter_map(|term| match term {
            Term::Each { list, .. } => Some(list.as_str()),
            Term::Whole(_) => None,
        });
        let lists: Vec<&str> = lists.collect();
        if path.each && lists.is_empty() {
            let message =
                "`[*]` needs an expression of the form variables.<list>.all(v, …)".to_owned();
            self.problem("path", &validation.path, message);
            return None;
        }
        if path.each && !lists.iter().all(|list| path.stands_for(list)) {
            let message = format!(
                "the path's list is `{}`, the expression's {}",
                path.head(),
                lists.join(", ")
            );
            self.problem("path", &validation.path, message);
            return None;
        }
        Some(Validation { expression, path, message: validation.message })
    }

    fn fix(&mut self, op: &FixFile, validations: &[Validation]) -> Option<FixOp> {
        let path = self.path(&op.path)?;
        let known =
            |validation: &Validation| validation.path.each && validation.path.head() == path.head();
        if path.each && !validations.iter().any(known) {
            self.problem(
                "path",
                &op.path,
                format!("no validation has the path `{}[*]`", path.head()),
            );
            return None;
        }
        match (op.op.value.as_str(), &op.value) {
            ("add" | "replace", Some(value)) => Some(FixOp { path, value: Some(value.clone()) }),
            ("remove", None) => Some(FixOp { path, value: None }),
            (name @ ("add" | "replace" | "remove"), _) => {
                let needs = if name == "remove" { "takes no" } else { "needs a" };
                self.problem("fix", &op.op, format!("`{name}` {needs} value"));
                None
            }
            (name, _) => {
                self.problem(
                    "fix",
                    &op.op,
                    format!("`{name}` is no operation: expected add, replace or remove"),
                );
                None
            }
        }
    }

    fn test(&mut self, test: Spanned<TestFile>) -> Option<TestCase> {
        let line = u32::try_from(test.referenced.line()).unwrap_or(u32::MAX);
        let TestFile { name, params, fails, passes, not_applicable } = &test.value;
        let (expect, fragment) = match (fails, passes, not_applicable) {
            (Some(fragment), None, None) => (Expect::Fails, fragment),
            (None, Some(fragment), None) => (Expect::Passes, fragment),
            (None, None, Some(fragment)) => (Expect::NotApplicable, fragment),
            _ => {
                self.problem(
                    "test",
                    &test,
                    "a test has one of fails, passes and notApplicable".to_owned(),
                );
                return None;
            }
        };
        Some(TestCase {
            name: name.clone(),
            params: params.clone(),
            expect,
            fragment: fragment.clone(),
            line,
        })
    }
}

/// Whether `list` names one of the lists that are judged element by element.
pub(crate) fn is_list(list: &str) -> bool {
    LISTS.contains(&list)
}

//! Control files: YAML text to a checked [`Control`], or problems with their places.
use super::file::{File, FixFile, ParamFile, TestFile, ValidationFile};
use super::matches::{Constraints, Facts};
use super::{Control, Expect, FixOp, Judge, Matches, Membership, Rules, TestCase, Validation};
use crate::cel::{self, Each, Expression, Names, Root, Term, Type};
use crate::path::FieldPath;
use crate::rbac::{Library, Permissions};
use seawall_model::Problem;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Collects problems of one file.
struct Reader<'a> {
    file: &'a str,
    library: &'a Arc<Library>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem<T>(&mut self, code: &str, at: &Spanned<T>, message: String) {
        let (line, column) = (at.referenced.line(), at.referenced.column());
        let place = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        self.problems
            .push(Problem::error(code, message).file(self.file).at(place(line), place(column)));
    }

    fn expression(&mut self, text: &Spanned<String>, names: &Names) -> Option<Expression> {
        match cel::compile(&text.value, names) {
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
pub(crate) fn load(
    file: &str,
    text: &str,
    library: &Arc<Library>,
) -> Result<Control, Vec<Problem>> {
    let parsed: File = serde_saphyr::from_str(text).map_err(|error| {
        let place = error.location().map_or((1, 1), |at| (at.line(), at.column()));
        let place_of = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        // The error ends in the place, which the problem carries itself.
        let message = error.without_snippet().to_string();
        vec![Problem::error("control", message).file(file).at(place_of(place.0), place_of(place.1))]
    })?;
    let mut reader = Reader { file, library, problems: Vec::new() };
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
        let (types, params) = self.params(&parsed.params);
        let (matches, across) = self.matches(&parsed.matches);
        if across.is_some() && !(parsed.unless.is_empty() && parsed.validations.is_empty()) {
            let message = "code or data judges this control: it takes no unless and validations";
            self.problem("match", &parsed.matches, message.to_owned());
        }
        if across.is_none() && parsed.validations.is_empty() {
            self.problem("match", &parsed.matches, "there is no validation".to_owned());
        }
        let names = Names {
            params: types,
            object: match &matches {
                Matches::Resources(constraints) => {
                    constraints.only_struct().map_or(Type::Dyn, |name| Type::Struct(name.into()))
                }
                _ => Type::Dyn,
            },
            prelude: matches == Matches::Workloads,
            exported: !matches!(matches, Matches::Facts(_)),
        };
        let rules = self.rules(&parsed.unless, parsed.validations, &names);
        let fix = parsed.fix.iter().filter_map(|op| self.fix(op, &rules.validations)).collect();
        let judge = across.unwrap_or(Judge::Expressions(rules));
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
            matches,
            judge,
            fix,
            tests,
            library: self.library.clone(),
        }
    }

    /// What the control is about, and what judges it where expressions do not.
    fn matches(&mut self, matches: &Spanned<Value>) -> (Matches, Option<Judge>) {
        let value = &matches.value;
        let read = match (value, value.as_object().and_then(|members| members.iter().next())) {
            (Value::String(name), _) if name == "workloads" => Ok((Matches::Workloads, None)),
            (Value::String(_), _) => Facts::deserialize(value)
                .map(|facts| (Matches::Facts(facts), None))
                .map_err(|_| "expected workloads, node, control-plane, aks, eks or gke".to_owned()),
            (_, Some((key, Value::String(name)))) if key == "native" => {
                match crate::native::find(name) {
                    Some(native) => Ok((Matches::World, Some(Judge::Native(native)))),
                    None => Err(format!("there is no native control `{name}`")),
                }
            }
            (_, Some((key, value))) if key == "permissions" => {
                Permissions::read(value, self.library)
                    .map(|permissions| (Matches::World, Some(Judge::Permissions(permissions))))
            }
            (_, Some((key, _))) if key == "matchConditions" => {
                Err("`matchConditions` cannot see `variables`: write `unless`".to_owned())
            }
            _ => Constraints::deserialize(value)
                .map(|constraints| (Matches::Resources(constraints), None))
                .map_err(|error| error.to_string()),
        };
        read.unwrap_or_else(|message| {
            self.problem("match", matches, message);
            (Matches::Workloads, None)
        })
    }

    fn rules(
        &mut self,
        unless: &BTreeMap<String, Spanned<String>>,
        validations: Vec<ValidationFile>,
        names: &Names,
    ) -> Rules {
        let mut rules = Rules { unless: Vec::new(), validations: Vec::new() };
        for (reason, text) in unless {
            let expression = self.expression(text, names);
            rules.unless.extend(expression.map(|expression| (reason.clone(), expression)));
        }
        for validation in validations {
            rules.validations.extend(self.validation(validation, names));
        }
        rules
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
                    Type::list(Type::String)
                }
                ("map", Value::Object(_)) => Type::map(Type::String, Type::Dyn),
                (kind @ ("boolean" | "string" | "integer" | "strings" | "map"), _) => {
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
                            "unknown type `{kind}`: expected boolean, string, integer, strings or map"
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

    fn validation(&mut self, validation: ValidationFile, names: &Names) -> Option<Validation> {
        let expression = self.expression(&validation.expression, names);
        let path = self.path(&validation.path)?;
        let expression = expression?;
        let mut lists = Vec::new();
        each_list(&expression.terms, &[], &mut lists);
        if path.depth() > 0 && lists.is_empty() {
            let message =
                "`[*]` needs an expression of the form variables.<list>.all(v, …)".to_owned();
            self.problem("path", &validation.path, message);
            return None;
        }
        if let Some(other) =
            lists.iter().find(|lists| path.depth() > 0 && !path.goes_through(lists))
        {
            let other: Vec<_> = other.iter().map(|fields| fields.join(".")).collect();
            let message = format!(
                "the path's list is `{}`, the expression's {}",
                path.shown_lists(),
                other.join("[*].")
            );
            self.problem("path", &validation.path, message);
            return None;
        }
        Some(Validation { expression, path, message: validation.message })
    }

    fn fix(&mut self, op: &FixFile, validations: &[Validation]) -> Option<FixOp> {
        let path = self.path(&op.path)?;
        let known = |validation: &Validation| validation.path.shares_list(&path);
        if path.depth() > 0 && !validations.iter().any(known) {
            let message = format!("no validation has the path `{}[*]`", path.list(0).join("."));
            self.problem("path", &op.path, message);
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
        let TestFile { name, params, kubernetes, fails, passes, not_applicable, unknown } =
            &test.value;
        let (expect, fragment) = match (fails, passes, not_applicable, unknown) {
            (Some(fragment), None, None, None) => (Expect::Fails, fragment),
            (None, Some(fragment), None, None) => (Expect::Passes, fragment),
            (None, None, Some(fragment), None) => (Expect::NotApplicable, fragment),
            (None, None, None, Some(fragment)) => (Expect::Unknown, fragment),
            _ => {
                self.problem(
                    "test",
                    &test,
                    "a test has one of fails, passes, notApplicable and unknown".to_owned(),
                );
                return None;
            }
        };
        Some(TestCase {
            name: name.clone(),
            params: params.clone(),
            kubernetes: kubernetes.clone(),
            expect,
            fragment: fragment.clone(),
            line,
        })
    }
}

/// The lists that an expression goes through element by element, each from the root on; what no path can name is `?`.
fn each_list(
    terms: &[Term],
    outer: &[(String, Vec<Vec<String>>)],
    found: &mut Vec<Vec<Vec<String>>>,
) {
    for term in terms {
        let (Term::Each(each) | Term::Guarded { each, .. }) = term else { continue };
        let Each { range, variable, body, .. } = each.as_ref();
        let mut lists = match &range.root {
            Root::Object | Root::PodSpec => vec![range.fields.clone()],
            Root::Prelude(name) => vec![vec![name.clone()]],
            Root::Element(name) => {
                let known = outer.iter().rev().find(|(variable, _)| variable == name);
                let mut lists = known.map(|(_, lists)| lists.clone()).unwrap_or_default();
                lists.push(range.fields.clone());
                lists
            }
        };
        if lists.iter().any(Vec::is_empty) {
            lists = vec![vec!["?".to_owned()]];
        }
        let mut inner = outer.to_vec();
        inner.push((variable.clone(), lists.clone()));
        found.push(lists);
        each_list(body, &inner, found);
    }
}

//! A template's texts → a program; a program and an input → violations.
use crate::ast::{Head, Module, Term, TermKind, walk_rule};
use crate::builtin;
use crate::graph::{self, InventoryRead};
use crate::negation;
use crate::parse::{self, Version};
use crate::print::{self, Printed};
use crate::problem::{LoadError, Problem};
use crate::resolve::{Resolver, Rules};
use crate::run::{self, Limits};
use crate::safety;
use crate::value;
use regorus::{Engine, LimitError, PolicyLengthConfig, Value};
use serde_json::Value as Json;
use std::collections::{BTreeSet, HashSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::Arc;

/// Gatekeeper's name for the package of a template's own text, whatever it calls itself.
const ENTRY: &str = "template";
const QUERY: &str = "data.template.violation";
/// Bytes of all texts of one template. etcd keeps no object over 1.5 MiB.
const MAX_TOTAL: usize = 2 << 20;
/// Arrays, sets and objects written inside of each other. Templates of use nest four.
const MAX_LITERALS: usize = 8;
/// Characters of a printed line and lines of a module: the bounds above hold them already.
const UNBOUNDED_COLUMNS: NonZeroU32 = NonZeroU32::new(u32::MAX).unwrap();
const UNBOUNDED: NonZeroUsize = NonZeroUsize::new(usize::MAX).unwrap();

/// What a ConstraintTemplate holds for the engine `Rego`.
#[derive(Clone, Debug)]
pub struct Source {
    pub version: Version,
    pub rego: String,
    pub libs: Vec<String>,
}

/// A checked program. Cheap to clone; each worker makes an [`Interpreter`] of its own from it.
#[derive(Clone, Debug)]
pub struct Policy {
    modules: Arc<Vec<Text>>,
    reads: Arc<BTreeSet<InventoryRead>>,
}

#[derive(Debug)]
struct Text {
    /// `rego` or `libs[0]`.
    name: String,
    source: String,
    printed: Printed,
}

/// A JSON value as the interpreter holds it: cheap to clone, so that one review serves every policy.
#[derive(Clone, Debug)]
pub struct Data(Value);

/// One element of `violation` that has a message.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    pub message: String,
    /// `{}` where the policy gives none.
    pub details: Json,
}

/// Why an evaluation has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvalError {
    /// A bound was reached; which one.
    #[error("{0}")]
    Limit(String),
    /// The policy contradicts itself: two values for one rule. Gatekeeper takes that for a violation.
    #[error("{0}")]
    Failed(String),
    /// A violation's `msg` is no string, which Gatekeeper gives up at.
    #[error("msg is not a string")]
    Message,
}

impl Data {
    pub fn from_json(json: &Json) -> Self {
        Self(value::from_json(json))
    }

    /// An object of parts made before.
    pub fn object<'a>(pairs: impl IntoIterator<Item = (&'a str, Data)>) -> Self {
        let pairs = pairs.into_iter().map(|(key, data)| (Value::from(key), data.0));
        Self(Value::from(pairs.collect::<std::collections::BTreeMap<_, _>>()))
    }

    pub fn to_json(&self) -> Json {
        value::to_json(&self.0)
    }
}

impl Policy {
    /// Reads, checks and rewrites a template's texts, and runs them once on empty input.
    ///
    /// All problems of the first stage that finds any. Gatekeeper's own demands count: a rule `violation`, libraries
    /// in packages below `lib`, imports of `data.lib` alone, no `data` but `data.inventory` and `data.lib`.
    pub fn load(source: &Source) -> Result<Self, Vec<LoadError>> {
        let mut texts = vec![("rego".to_owned(), source.rego.clone())];
        for (index, lib) in source.libs.iter().enumerate() {
            texts.push((format!("libs[{index}]"), lib.clone()));
        }
        let total: usize = texts.iter().map(|(_, text)| text.len()).sum();
        if total > MAX_TOTAL {
            let problem = Problem::new(0..0, format!("template is over {} MiB", MAX_TOTAL >> 20));
            return Err(vec![problem.placed("rego", "")]);
        }
        let place =
            |index: usize, problem: Problem| problem.placed(&texts[index].0, &texts[index].1);
        let mut modules = Vec::new();
        let mut problems = Vec::new();
        for (index, (_, text)) in texts.iter().enumerate() {
            match parse::parse(text, source.version) {
                Ok(module) => modules.push(module),
                Err(problem) => problems.push(place(index, problem)),
            }
        }
        refuse(problems)?;
        refuse(conventions(&modules).into_iter().map(|(index, problem)| place(index, problem)))?;
        modules[0].package = vec![ENTRY.to_owned()];
        let rules = rules(&modules);
        let found = resolve(&mut modules, &rules);
        refuse(found.into_iter().map(|(index, problem)| place(index, problem)))?;
        let found = graph::recursion(&modules, &rules);
        refuse(found.into_iter().map(|(index, problem)| place(index, problem)))?;
        let reads = graph::inventory_reads(&modules);
        let found = order(&mut modules);
        refuse(found.into_iter().map(|(index, problem)| place(index, problem)))?;
        let print = |(module, (name, source)): (&Module, (String, String))| {
            let printed = print::print(module, &source);
            Text { name, source, printed }
        };
        let modules: Vec<Text> = modules.iter().zip(texts.clone()).map(print).collect();
        let policy = Self { modules: Arc::new(modules), reads: Arc::new(reads) };
        let mut interpreter = policy.build().map_err(|error| vec![error])?;
        match interpreter.run(&Data(Value::new_object()), &Limits::default()) {
            Err(Ended::Error(error)) if !contradiction(&error) => Err(vec![policy.refusal(&error)]),
            Ok(_) | Err(_) => Ok(policy),
        }
    }

    /// What it looks at of `data.inventory`; nothing if it is not referential.
    pub fn reads(&self) -> &BTreeSet<InventoryRead> {
        &self.reads
    }

    /// An interpreter of its own: sharing one makes workers wait for each other's counters.
    pub fn interpreter(&self) -> Interpreter {
        // `load` has built one before.
        self.build().unwrap_or_else(|error| Interpreter {
            engine: Engine::new(),
            refused: Some(error.to_string()),
        })
    }

    fn build(&self) -> Result<Interpreter, LoadError> {
        let mut engine = Engine::new();
        engine.set_strict_builtin_errors(false);
        engine.set_policy_length_config(PolicyLengthConfig {
            max_col: UNBOUNDED_COLUMNS,
            max_file_bytes: UNBOUNDED,
            max_lines: UNBOUNDED,
        });
        builtin::register(&mut engine);
        for text in self.modules.iter() {
            let added = engine.add_policy(text.name.clone(), text.printed.text.clone());
            added.map_err(|error| self.refusal(&error))?;
        }
        Ok(Interpreter { engine, refused: None })
    }

    /// An error of the interpreter, placed in the user's text.
    fn refusal(&self, error: &anyhow::Error) -> LoadError {
        let shown = error.to_string();
        let message = said(&shown);
        for text in self.modules.iter() {
            if let Some((line, column)) = placed(&shown, &text.name) {
                let span = text.printed.source(line, column);
                return Problem::new(span, message).placed(&text.name, &text.source);
            }
        }
        Problem::new(0..0, message).placed("rego", "")
    }

    /// The text that the interpreter gets, for those who look for a difference.
    pub fn rewritten(&self) -> Vec<(&str, &str)> {
        self.modules.iter().map(|text| (&*text.name, &*text.printed.text)).collect()
    }
}

/// `error: what is wrong` of a message with places.
fn said(shown: &str) -> String {
    let line = shown.lines().find_map(|line| line.trim().strip_prefix("error: "));
    let said = line.unwrap_or(shown.lines().next().unwrap_or(shown));
    // In OPA's words, which say what to mend.
    match said {
        _ if said.starts_with("rule conflicts with rule") => {
            "complete rules must not produce multiple outputs".to_owned()
        }
        _ => said.to_owned(),
    }
}

/// The place in `--> file:line:column`.
fn placed(shown: &str, file: &str) -> Option<(u32, u32)> {
    let at = shown.find(&format!("--> {file}:"))?;
    let rest = &shown[at + "--> ".len() + file.len() + 1..];
    let mut numbers = rest.split([':', '\n']);
    Some((numbers.next()?.trim().parse().ok()?, numbers.next()?.trim().parse().ok()?))
}

fn refuse(problems: impl IntoIterator<Item = LoadError>) -> Result<(), Vec<LoadError>> {
    let problems: Vec<_> = problems.into_iter().collect();
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// What Gatekeeper demands before OPA does. Source: constraint framework, `pkg/regorewriter`.
fn conventions(modules: &[Module]) -> Vec<(usize, Problem)> {
    let mut problems = Vec::new();
    if !modules[0].rules.iter().any(|rule| rule.name == "violation") {
        problems.push((0, Problem::new(0..0, "missing required rule: violation")));
    }
    for rule in modules[0].rules.iter().filter(|rule| rule.name == "violation" && !rule.default) {
        let member = match &rule.head {
            Head::Member(term) => Some(term),
            Head::Value(_) => rule.path.first(),
        };
        let plain = |term: &Term| {
            matches!(
                term.kind,
                TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::String(_)
            )
        };
        if member.is_none_or(plain) {
            let problem =
                Problem::new(rule.span.clone(), "`violation` is a set of objects with `msg`");
            problems.push((0, problem));
        }
    }
    if messageless(&modules[0]) {
        problems.push((0, Problem::new(0..0, "no element of `violation` has `msg`")));
    }
    for (index, module) in modules.iter().enumerate() {
        if index > 0 && (module.package[0] != "lib" || module.package.len() < 2) {
            let message = format!("package {} is not below `lib`", module.package.join("."));
            problems.push((index, Problem::new(module.package_span.clone(), message)));
        }
        for import in &module.imports {
            if import.path[0] == "rego" {
                let message =
                    "bad import: rego.v1; choose `version: v1` in `code[].source` instead";
                problems.push((index, Problem::new(import.span.clone(), message)));
            } else if import.path[..1] != ["data"]
                || import.path.get(1).is_none_or(|name| name != "lib")
            {
                let message = format!("bad import: {}", import.path.join("."));
                problems.push((index, Problem::new(import.span.clone(), message)));
            }
        }
        for rule in &module.rules {
            // The interpreter reads v1, where these are no names.
            if parse::LATER_KEYWORDS.contains(&&*rule.name) {
                let message = format!("a rule named `{}` is not supported", rule.name);
                problems.push((index, Problem::new(rule.span.clone(), message)));
            }
            problems.extend(too_deep(rule).into_iter().map(|problem| (index, problem)));
            let mut heads = HashSet::new();
            walk_rule(rule, &mut |term| {
                if let TermKind::Ref(head, _) = &term.kind {
                    heads.insert(std::ptr::from_ref(&**head));
                }
                let second = match &term.kind {
                    TermKind::Var(name)
                        if name == "data" && !heads.contains(&std::ptr::from_ref(term)) =>
                    {
                        None
                    }
                    TermKind::Ref(head, parts) => {
                        match (&head.kind, parts.first().map(|part| &part.kind)) {
                            (TermKind::Var(root), Some(TermKind::String(name)))
                                if root == "data" =>
                            {
                                Some(name)
                            }
                            _ => return,
                        }
                    }
                    TermKind::Call(name, _) if name[0] == "data" => name.get(1),
                    _ => return,
                };
                if !second.is_some_and(|name| name == "inventory" || name == "lib") {
                    let shown = second.map_or("data".to_owned(), |name| format!("data.{name}"));
                    let message = format!("disallowed ref {shown}");
                    problems.push((index, Problem::new(term.span.clone(), message)));
                }
            });
        }
    }
    problems
}

/// Every element is an object written out, and none has a message.
fn messageless(module: &Module) -> bool {
    let mut heads =
        module.rules.iter().filter(|rule| rule.name == "violation" && !rule.default).peekable();
    let without = |rule: &crate::ast::Rule| match &rule.head {
        Head::Member(Term { kind: TermKind::Object(pairs), .. }) => {
            pairs.iter().all(|(key, _)| matches!(&key.kind, TermKind::String(key) if key != "msg"))
        }
        _ => false,
    };
    heads.peek().is_some() && heads.all(without)
}

/// The interpreter reads what begins with a bracket as a comprehension first, then once more as what it is, so each
/// level doubles its work.
fn too_deep(rule: &crate::ast::Rule) -> Option<Problem> {
    fn literals(term: &Term) -> usize {
        let literal =
            matches!(term.kind, TermKind::Array(_) | TermKind::Set(_) | TermKind::Object(_));
        let heads = term.closure().map(|(heads, _)| heads).unwrap_or_default();
        let inner = term.children().into_iter().chain(heads).map(literals).max().unwrap_or(0);
        inner + usize::from(literal)
    }
    let mut problem = None;
    walk_rule(rule, &mut |term| {
        if problem.is_none() && literals(term) > MAX_LITERALS {
            let message = format!("collections nested over {MAX_LITERALS} levels deep");
            problem = Some(Problem::new(term.span.clone(), message));
        }
    });
    problem
}

fn rules(modules: &[Module]) -> Rules {
    let mut rules = Rules::new();
    for module in modules {
        for rule in &module.rules {
            let args = rule.args.as_ref().map(Vec::len);
            rules.insert(graph::path_of(module, rule), args);
        }
    }
    rules
}

fn resolve(modules: &mut [Module], rules: &Rules) -> Vec<(usize, Problem)> {
    let mut problems = Vec::new();
    for (index, module) in modules.iter_mut().enumerate() {
        let (package, imports) = (module.package.clone(), std::mem::take(&mut module.imports));
        let mut resolver = Resolver::new(&package, &imports, rules, module.strict);
        module.rules.iter_mut().for_each(|rule| resolver.rule(rule));
        problems.extend(resolver.problems.into_iter().map(|problem| (index, problem)));
        problems.extend(conflicts(module).into_iter().map(|problem| (index, problem)));
    }
    problems
}

/// Rules of one name must be of one kind. Source: OPA's `checkRuleConflicts`.
fn conflicts(module: &Module) -> Vec<Problem> {
    let mut problems = Vec::new();
    for rule in &module.rules {
        let same = |other: &&crate::ast::Rule| {
            other.name == rule.name && other.path.is_empty() && rule.path.is_empty()
        };
        let first = module.rules.iter().find(same);
        let Some(first) = first else { continue };
        if first.args.as_ref().map(Vec::len) != rule.args.as_ref().map(Vec::len)
            || matches!(first.head, Head::Member(_)) != matches!(rule.head, Head::Member(_))
        {
            let message = format!("conflicting rules `{}` found", rule.name);
            problems.push(Problem::new(rule.span.clone(), message));
        }
        let default = |other: &&crate::ast::Rule| other.default && other.name == rule.name;
        if rule.default && module.rules.iter().filter(default).count() > 1 {
            let message = format!("multiple default rules `{}` found", rule.name);
            problems.push(Problem::new(rule.span.clone(), message));
        }
    }
    problems
}

fn order(modules: &mut [Module]) -> Vec<(usize, Problem)> {
    let mut problems = Vec::new();
    for (index, module) in modules.iter_mut().enumerate() {
        for rule in &mut module.rules {
            let mut found = Vec::new();
            negation::expand_calls(rule);
            safety::order_rule(rule, &mut found);
            negation::expand_references(rule);
            problems.extend(found.into_iter().map(|problem| (index, problem)));
        }
    }
    problems
}

enum Ended {
    /// A bound was reached; which one.
    Limit(String),
    Error(anyhow::Error),
}

/// Errors that a sound policy can have on one input and not on another, as OPA has them too.
fn contradiction(error: &anyhow::Error) -> bool {
    let shown = error.to_string();
    ["conflict", "multiple outputs", "overflow"].iter().any(|word| shown.contains(word))
}

/// Runs one policy, for one worker.
pub struct Interpreter {
    engine: Engine,
    refused: Option<String>,
}

impl Interpreter {
    /// Replaces `data.inventory`.
    pub fn set_inventory(&mut self, inventory: &Data) -> Result<(), EvalError> {
        self.engine.clear_data();
        let data = Data::object([("inventory", inventory.clone())]);
        self.engine.add_data(data.0).map_err(|error| EvalError::Failed(said(&error.to_string())))
    }

    fn run(&mut self, input: &Data, limits: &Limits) -> Result<Value, Ended> {
        self.engine.set_execution_timer_config(run::begin(limits));
        self.engine.set_input(input.0.clone());
        let result = self.engine.eval_rule(QUERY.to_owned());
        let error = result.as_ref().err();
        match run::end(error.and_then(|error| error.downcast_ref::<LimitError>())) {
            Some(limit) => Err(Ended::Limit(limit)),
            None => result.map_err(Ended::Error),
        }
    }

    /// The violations of `input`, which holds `review` and `parameters`, in the order of OPA's sets.
    ///
    /// As Gatekeeper's hook does: elements without `msg` are passed over, `details` defaults to `{}`.
    pub fn evaluate(&mut self, input: &Data, limits: &Limits) -> Result<Vec<Violation>, EvalError> {
        if let Some(refused) = &self.refused {
            return Err(EvalError::Failed(refused.clone()));
        }
        let found = self.run(input, limits).map_err(|ended| match ended {
            Ended::Limit(limit) => EvalError::Limit(limit),
            Ended::Error(error) => EvalError::Failed(said(&error.to_string())),
        })?;
        let elements: Vec<&Value> = match &found {
            Value::Set(items) => items.iter().collect(),
            Value::Array(items) => items.iter().collect(),
            Value::Object(pairs) => pairs.iter().map(|(key, _)| key).collect(),
            _ => Vec::new(),
        };
        let mut violations = Vec::new();
        for element in elements {
            let Value::Object(_) = element else { continue };
            let message = match &element["msg"] {
                Value::Undefined => continue,
                Value::String(message) => message.to_string(),
                _ => return Err(EvalError::Message),
            };
            let details = match &element["details"] {
                Value::Undefined => Json::Object(serde_json::Map::new()),
                details => value::to_json(details),
            };
            violations.push(Violation { message, details });
        }
        Ok(violations)
    }

    /// Interpreter steps of the last evaluation, to the next 64.
    pub fn steps(&self) -> u64 {
        run::steps()
    }
}

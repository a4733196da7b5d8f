//! Tests → results.
use super::spec::{Assertion, Case, Suite, Test};
use crate::gatekeeper::{
    ConstraintError, Expansion, Inventory, Judge, Library, Namespace, Origin, Outcome, Point,
    Review, Template,
};
use regex::Regex;
use seawall_rego::Limits;
use serde_json::{Map, Value};

/// Reads the documents of a file, by its path relative to the suite's.
pub type Files<'a> = &'a dyn Fn(&str) -> Result<Vec<Value>, String>;

/// Which tests run.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Matches the test's name, the case's, or `TEST > CASE`.
    pub name: Option<Regex>,
    /// `rego` or `cel`: tests of templates of that engine alone.
    pub engine: Option<String>,
}

/// What became of one case, or of a test without cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseResult {
    pub test: String,
    /// Empty: the test itself.
    pub case: String,
    pub verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Passed,
    /// Why.
    Failed(String),
    Skipped,
}

/// Runs every test that `filter` lets through, in order. CEL compiles as in Kubernetes 1.`minor`.
pub fn run(
    suite: &Suite,
    files: Files<'_>,
    filter: &Filter,
    minor: u32,
    limits: &Limits,
) -> Vec<CaseResult> {
    let mut results = Vec::new();
    for test in &suite.tests {
        let named = |case: &Case| filter.takes(&test.name, &case.name);
        let wanted = filter.takes(&test.name, "") || test.cases.iter().any(named);
        if !wanted {
            continue;
        }
        if suite.skip || test.skip {
            results.extend(every(test, &|_| Verdict::Skipped));
            continue;
        }
        let loaded = load(test, files, minor);
        if let (Some(engine), Ok(loaded)) = (&filter.engine, &loaded)
            && loaded.library.templates().any(|template| template.engine_name() != engine)
        {
            continue;
        }
        results.extend(
            test_results(test, loaded, files, limits)
                .into_iter()
                .filter(|result| result.case.is_empty() || filter.takes(&test.name, &result.case)),
        );
    }
    results
}

impl Filter {
    fn takes(&self, test: &str, case: &str) -> bool {
        self.name.as_ref().is_none_or(|name| {
            name.is_match(test)
                || (!case.is_empty()
                    && (name.is_match(case) || name.is_match(&format!("{test} > {case}"))))
        })
    }
}

/// One result for each case; for the test itself where it has none.
fn every(test: &Test, verdict: &dyn Fn(&str) -> Verdict) -> Vec<CaseResult> {
    let result = |case: &str| CaseResult {
        test: test.name.clone(),
        case: case.to_owned(),
        verdict: verdict(case),
    };
    if test.cases.is_empty() {
        return vec![result("")];
    }
    test.cases.iter().map(|case| result(&case.name)).collect()
}

struct Loaded {
    library: Library,
    expansions: Vec<Expansion>,
}

enum Unloaded {
    /// The constraint does not fit the template's schema.
    Schema(String),
    Other(String),
}

fn load(test: &Test, files: Files<'_>, minor: u32) -> Result<Loaded, Unloaded> {
    let other = Unloaded::Other;
    let one = |path: &str, what: &str| match path {
        "" => Err(other(format!("invalid Suite: missing {what}"))),
        path => match files(path).map_err(other)?.as_slice() {
            [document] => Ok(document.clone()),
            documents => {
                Err(other(format!("{path:?} defines {} objects, want one", documents.len())))
            }
        },
    };
    let document = one(&test.template, "template")?;
    let mut library = Library::default();
    let template = Template::load(&document, minor);
    library
        .add(template.map_err(|errors| other(format!("adding template: {}", errors.join("; "))))?);
    let constraint = one(&test.constraint, "constraint")?;
    library.constrain(&constraint).map_err(|error| match error {
        ConstraintError::Schema(_) => Unloaded::Schema(format!("adding constraint: {error}")),
        ConstraintError::Invalid(_) => other(format!("adding constraint: {error}")),
    })?;
    let mut expansions = Vec::new();
    if !test.expansion.is_empty() && !test.invalid {
        for document in files(&test.expansion).map_err(other)? {
            expansions.push(Expansion::load(&document).map_err(other)?);
        }
        // Gatekeeper goes by name.
        expansions.sort_by(|a, b| a.name.cmp(&b.name));
    }
    Ok(Loaded { library, expansions })
}

fn test_results(
    test: &Test,
    loaded: Result<Loaded, Unloaded>,
    files: Files<'_>,
    limits: &Limits,
) -> Vec<CaseResult> {
    if test.invalid {
        let verdict = match loaded {
            Err(Unloaded::Schema(_)) => Verdict::Passed,
            Err(Unloaded::Other(error)) => {
                Verdict::Failed(format!("got error {error:?} but want one of the schema"))
            }
            Ok(_) => Verdict::Failed("the constraint is valid".to_owned()),
        };
        return vec![CaseResult { test: test.name.clone(), case: String::new(), verdict }];
    }
    let loaded = match loaded {
        Ok(loaded) => loaded,
        Err(Unloaded::Schema(error) | Unloaded::Other(error)) => {
            return every(test, &|_| Verdict::Failed(error.clone()));
        }
    };
    if test.cases.is_empty() {
        return every(test, &|_| Verdict::Passed);
    }
    let mut judge = Judge::new();
    let result = |case: &Case| {
        let verdict = match case.skip {
            true => Verdict::Skipped,
            false => match check(case, &loaded, &mut judge, files, limits) {
                Ok(()) => Verdict::Passed,
                Err(reason) => Verdict::Failed(reason),
            },
        };
        CaseResult { test: test.name.clone(), case: case.name.clone(), verdict }
    };
    test.cases.iter().map(result).collect()
}

fn check(
    case: &Case,
    loaded: &Loaded,
    judge: &mut Judge,
    files: Files<'_>,
    limits: &Limits,
) -> Result<(), String> {
    if case.object.is_empty() {
        return Err("invalid Case: must define object".to_owned());
    }
    if case.assertions.is_empty() {
        return Err("invalid Case: assertions must be non-empty".to_owned());
    }
    let objects = files(&case.object)?;
    let [object] = objects.as_slice() else {
        return Err(format!("{:?} defines {} objects, want one", case.object, objects.len()));
    };
    let mut inventory = Inventory::default();
    for path in &case.inventory {
        let documents = files(path)?;
        if documents.is_empty() {
            return Err(format!("path {path:?} defines no YAML objects"));
        }
        for document in documents {
            inventory.add(document)?;
        }
    }
    let messages = messages(object, loaded, judge, &inventory, limits)?;
    let messages: Vec<&str> = messages.iter().map(String::as_str).collect();
    for assertion in &case.assertions {
        Assertion::parse(assertion)?.check(&messages)?;
    }
    Ok(())
}

/// The messages of all violations, those of what the object expands to included.
fn messages(
    object: &Value,
    loaded: &Loaded,
    judge: &mut Judge,
    inventory: &Inventory,
    limits: &Limits,
) -> Result<Vec<String>, String> {
    let namespace = |name: &str| match inventory.namespace(name) {
        Some(namespace) => Namespace::Object(namespace.clone()),
        None => Namespace::Unknown,
    };
    let mut review = |review: &Review| {
        told(judge.review(&loaded.library, review, inventory, Point::Gator, limits))
    };
    if let Some(request) = request(object)? {
        let name = request.get("namespace").and_then(Value::as_str).unwrap_or_default();
        return review(&Review::of_request(request, namespace(name))?);
    }
    let own = |object: &Value| {
        object.pointer("/metadata/namespace").and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let mut messages =
        review(&Review::of_object(object, namespace(&own(object)), Origin::Original)?)?;
    if !loaded.expansions.is_empty() {
        for expanded in Expansion::expand(&loaded.expansions, object)? {
            let namespace = namespace(&own(&expanded.object));
            let implied =
                review(&Review::of_object(&expanded.object, namespace, Origin::Generated)?)?;
            messages.extend(
                implied
                    .iter()
                    .map(|message| format!("[Implied by {}] {message}", expanded.template)),
            );
        }
    }
    Ok(messages)
}

/// What Gatekeeper cannot match it rejects; what we could not judge fails the case.
fn told(outcome: Outcome) -> Result<Vec<String>, String> {
    let mut messages: Vec<String> =
        outcome.violations.into_iter().map(|violation| violation.message).collect();
    for undecided in outcome.undecided {
        if !undecided.message.starts_with("unable to match constraints") {
            return Err(format!("not decided ({}): {}", undecided.reason, undecided.message));
        }
        messages.push(undecided.message);
    }
    Ok(messages)
}

/// Fields of an AdmissionRequest; k8s.io/api `admission/v1/types.go`.
const REQUEST: &[&str] = &[
    "uid",
    "kind",
    "resource",
    "subResource",
    "requestKind",
    "requestResource",
    "requestSubResource",
    "name",
    "namespace",
    "operation",
    "userInfo",
    "object",
    "oldObject",
    "dryRun",
    "options",
];

/// The request, if the object is an AdmissionReview. Errors: it has none, or fields that it may not have.
fn request(object: &Value) -> Result<Option<&Map<String, Value>>, String> {
    let word = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    if word("kind") != "AdmissionReview" || !word("apiVersion").starts_with("admission.k8s.io/") {
        return Ok(None);
    }
    let Some(request) = object.get("request").and_then(Value::as_object) else {
        return Err("request did not actually pass in an AdmissionRequest".to_owned());
    };
    if let Some(unknown) = request.keys().find(|key| !REQUEST.contains(&key.as_str())) {
        return Err(format!(
            "unable to convert to an AdmissionReview object: unknown field \"request.{unknown}\""
        ));
    }
    Ok(Some(request))
}

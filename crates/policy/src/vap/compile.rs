//! A policy's expressions → programs, against the variables each kind of expression sees.
use super::schema::{Declared, NAMESPACE, REQUEST, VARIABLES};
use super::spec::{Named, PolicySpec};
use super::validate::Fault;
use seawall_cel::{CompileError, Env, Program, Stage, Type, authz, display};
use std::sync::Arc;

/// A compiled policy.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) match_conditions: Vec<Program>,
    pub(super) variables: Vec<Variable>,
    pub(super) validations: Vec<Validation>,
    pub(super) audit_annotations: Vec<(String, Program)>,
}

#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// `variables.name`
    pub(super) dotted: String,
    pub(super) program: Program,
}

#[derive(Debug)]
pub(super) struct Validation {
    pub(super) program: Program,
    pub(super) message: String,
    pub(super) message_expression: Option<Program>,
    pub(super) reason: Option<String>,
}

/// The name of `authorizer` for the resource of the request.
pub(super) const REQUEST_RESOURCE: &str = "authorizer.requestResource";

struct Compiler {
    env: Env,
    faults: Vec<Fault>,
}

/// Compiles `spec` as Kubernetes 1.`minor` does. Faults: every expression that does not, with its field.
pub(super) fn compile(spec: &PolicySpec, minor: u32) -> Result<Compiled, Vec<Fault>> {
    let mut base = Env::kubernetes(minor)
        .with_schema(Arc::new(Declared))
        .with_variable("object", Type::Dyn)
        .with_variable("oldObject", Type::Dyn)
        .with_variable("namespaceObject", Type::Struct(NAMESPACE.into()))
        .with_variable("request", Type::Struct(REQUEST.into()));
    if spec.param_kind.is_some() {
        base = base.with_variable("params", Type::Dyn);
    }
    let asking = base
        .clone()
        .with_variable("authorizer", Type::Opaque(authz::AUTHORIZER.into()))
        .with_variable(REQUEST_RESOURCE, Type::Opaque(authz::RESOURCE_CHECK.into()));
    let mut compiler = Compiler { env: asking.clone(), faults: Vec::new() };
    let match_conditions = compiler.conditions(&spec.match_conditions);
    // A policy with variables has the struct of them before it has the first one.
    let composed = |env: Env| match spec.variables.is_empty() {
        true => env,
        false => env.with_variable("variables", Type::Struct(VARIABLES.into())),
    };
    let (asking, base) = (composed(asking), composed(base));
    compiler.env = asking.clone();
    let variables = compiler.variables(&spec.variables);
    let declared: Vec<(&str, Type)> =
        variables.iter().map(|v| (v.dotted.as_str(), field_type(v.program.output()))).collect();
    let with = |env: Env| {
        declared.iter().fold(env, |env, (name, kind)| env.with_variable(name, kind.clone()))
    };
    // Messages may not ask the authorizer.
    let (asking, base) = (with(asking), with(base));
    let validations = compiler.validations(spec, &asking, &base);
    let audit_annotations = compiler.audit_annotations(spec, &asking);
    match compiler.faults.is_empty() {
        true => Ok(Compiled { match_conditions, variables, validations, audit_annotations }),
        false => Err(compiler.faults),
    }
}

impl Compiler {
    fn program(&mut self, env: &Env, field: &str, text: &str, gives: &[Type]) -> Option<Program> {
        let told = match env.compile(text) {
            Ok(program) if gives.is_empty() || gives.contains(program.output()) => {
                return Some(program);
            }
            Ok(program) => wrong_type(gives, program.output()),
            Err(errors) => refusal(text, &errors),
        };
        self.faults.push((field.to_owned(), told));
        None
    }

    /// Match conditions see no variables.
    fn conditions(&mut self, conditions: &[Named]) -> Vec<Program> {
        let env = self.env.clone();
        let one = |(at, condition): (usize, &Named)| {
            let field = format!("spec.matchConditions[{at}].expression");
            if condition.expression.trim().is_empty() {
                self.faults.push((field, "Required value".to_owned()));
                return None;
            }
            self.program(&env, &field, &condition.expression, &[Type::Bool])
        };
        conditions.iter().enumerate().filter_map(one).collect()
    }

    /// Each sees those before it.
    fn variables(&mut self, variables: &[Named]) -> Vec<Variable> {
        let mut env = self.env.clone();
        let mut compiled = Vec::new();
        for (at, variable) in variables.iter().enumerate() {
            let field = format!("spec.variables[{at}].expression");
            if variable.expression.trim().is_empty() {
                self.faults.push((field, "expression is not specified".to_owned()));
                continue;
            }
            let dotted = format!("variables.{}", variable.name);
            let Some(program) = self.program(&env, &field, &variable.expression, &[]) else {
                env = env.with_variable(&dotted, Type::Dyn);
                continue;
            };
            env = env.with_variable(&dotted, field_type(program.output()));
            compiled.push(Variable { name: variable.name.clone(), dotted, program });
        }
        compiled
    }

    fn validations(&mut self, spec: &PolicySpec, asking: &Env, base: &Env) -> Vec<Validation> {
        let mut compiled = Vec::new();
        for (at, validation) in spec.validations.iter().enumerate() {
            let field = |name: &str| format!("spec.validations[{at}].{name}");
            let program =
                self.program(asking, &field("expression"), &validation.expression, &[Type::Bool]);
            let message_expression = match validation.message_expression.as_str() {
                "" => None,
                text => self.program(base, &field("messageExpression"), text, &[Type::String]),
            };
            let Some(program) = program else { continue };
            let message = validation.message.clone();
            let reason = validation.reason.clone();
            compiled.push(Validation { program, message, message_expression, reason });
        }
        compiled
    }

    fn audit_annotations(&mut self, spec: &PolicySpec, asking: &Env) -> Vec<(String, Program)> {
        let mut compiled = Vec::new();
        for (at, annotation) in spec.audit_annotations.iter().enumerate() {
            let field = format!("spec.auditAnnotations[{at}].valueExpression");
            let text = annotation.value_expression.as_str();
            if text.trim().is_empty() {
                self.faults.push((field, "valueExpression is not specified".to_owned()));
                continue;
            }
            let gives = [Type::String, Type::Null];
            if let Some(program) = self.program(asking, &field, text, &gives) {
                compiled.push((annotation.key.clone(), program));
            }
        }
        compiled
    }
}

/// The API server's words for an expression that does not compile.
fn refusal(text: &str, errors: &[CompileError]) -> String {
    match errors {
        [error] if error.stage == Stage::Plan => {
            format!("program instantiation failed: {}", error.message)
        }
        errors => format!("compilation failed: {}", display(text, errors)),
    }
}

fn wrong_type(gives: &[Type], found: &Type) -> String {
    let names: Vec<String> = gives.iter().map(run_time_name).collect();
    let found = run_time_name(found);
    match names.as_slice() {
        [one] => format!("must evaluate to {one} but got {found}"),
        names => format!("must evaluate to one of [{}] but got {found}", names.join(" ")),
    }
}

/// A type's name as values have it.
fn run_time_name(kind: &Type) -> String {
    match kind {
        Type::Null => "null_type".to_owned(),
        Type::Duration => "google.protobuf.Duration".to_owned(),
        Type::Timestamp => "google.protobuf.Timestamp".to_owned(),
        Type::List(of) => format!("list({})", run_time_name(of)),
        Type::Map(key, value) => format!("map({}, {})", run_time_name(key), run_time_name(value)),
        other => other.to_string(),
    }
}

/// The type a variable has for the expressions after it: what the API server's declarations can say, else `dyn`.
fn field_type(kind: &Type) -> Type {
    match kind {
        Type::List(of) => Type::list(field_type(of)),
        Type::Map(key, value) => Type::map(field_type(key), field_type(value)),
        Type::Bool
        | Type::Int
        | Type::Uint
        | Type::Double
        | Type::String
        | Type::Bytes
        | Type::Null
        | Type::Duration
        | Type::Timestamp => kind.clone(),
        _ => Type::Dyn,
    }
}

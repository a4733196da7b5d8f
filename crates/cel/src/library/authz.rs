//! `authorizer`: questions to the API server's authorizer, and its answers. Source:
//! k8s.io/apiserver/pkg/cel/library/authz.go.
//!
//! The engine asks nobody. The variable carries the answers known so far; a check without one stops the evaluation
//! with its question, and the caller evaluates again once it has asked.
use super::arguments::{Outcome, own, text};
use super::{cost, format};
use crate::error::EvalError;
use crate::functions::{Function, Library, Overload};
use crate::question::{Answer, Question, Subject};
use crate::value::{Opaque, Value};
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

/// Answers by question.
pub type Answers = HashMap<Question, Answer>;

pub const AUTHORIZER: &str = "kubernetes.authorization.Authorizer";
pub const RESOURCE_CHECK: &str = "kubernetes.authorization.ResourceCheck";
const PATH_CHECK: &str = "kubernetes.authorization.PathCheck";
const GROUP_CHECK: &str = "kubernetes.authorization.GroupCheck";
const DECISION: &str = "kubernetes.authorization.Decision";

/// The variable `authorizer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    answers: Arc<Answers>,
    /// Namespace and name; None asks about the user of the request.
    service_account: Option<(String, String)>,
}

/// The variable `authorizer.requestResource`, and what `group(g).resource(r)` builds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceCheck {
    pub authorizer: Authorizer,
    pub group: String,
    pub resource: String,
    pub subresource: String,
    pub namespace: String,
    pub name: String,
    pub field_selector: String,
    pub label_selector: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PathCheck {
    authorizer: Authorizer,
    path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct GroupCheck {
    authorizer: Authorizer,
    group: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Decision(Answer);

impl Authorizer {
    pub fn new(answers: Arc<Answers>) -> Authorizer {
        Authorizer { answers, service_account: None }
    }

    fn check<'a>(&self, verb: &str, about: Subject) -> Outcome<'a> {
        let service_account = self.service_account.clone();
        let question = Question { service_account, verb: verb.to_owned(), about };
        match self.answers.get(&question) {
            Some(answer) => Ok(Value::opaque(Decision(answer.clone()))),
            None => Err(EvalError::Pending(Box::new(question))),
        }
    }
}

impl ResourceCheck {
    pub fn new(authorizer: Authorizer, group: &str, resource: &str) -> ResourceCheck {
        ResourceCheck {
            authorizer,
            group: group.to_owned(),
            resource: resource.to_owned(),
            subresource: String::new(),
            namespace: String::new(),
            name: String::new(),
            field_selector: String::new(),
            label_selector: String::new(),
        }
    }

    fn about(&self) -> Subject {
        Subject::Resource {
            group: self.group.clone(),
            resource: self.resource.clone(),
            subresource: self.subresource.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
            field_selector: self.field_selector.clone(),
            label_selector: self.label_selector.clone(),
        }
    }
}

pub(crate) static LIBRARY: Library = Library {
    since: 27,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::new(
            "path",
            &[Overload::member("authorizer_path", &[AUTHORIZER, "string"], PATH_CHECK, path)],
        ),
        Function::new(
            "group",
            &[Overload::member(
                "authorizer_group",
                &[AUTHORIZER, "string"],
                GROUP_CHECK,
                |arguments| {
                    let authorizer = own::<Authorizer>(arguments, 0)?.clone();
                    let group = text(arguments, 1)?.to_owned();
                    Ok(Value::opaque(GroupCheck { authorizer, group }))
                },
            )],
        ),
        Function::new(
            "serviceAccount",
            &[Overload::member(
                "authorizer_serviceaccount",
                &[AUTHORIZER, "string", "string"],
                AUTHORIZER,
                service_account,
            )],
        ),
        Function::new(
            "resource",
            &[Overload::member(
                "groupcheck_resource",
                &[GROUP_CHECK, "string"],
                RESOURCE_CHECK,
                resource,
            )],
        ),
        Function::new(
            "subresource",
            &[narrowing("resourcecheck_subresource", |arguments| {
                narrowed(arguments, |check| &mut check.subresource)
            })],
        ),
        Function::new(
            "namespace",
            &[narrowing("resourcecheck_namespace", |arguments| {
                narrowed(arguments, |check| &mut check.namespace)
            })],
        ),
        Function::new(
            "name",
            &[narrowing("resourcecheck_name", |arguments| {
                narrowed(arguments, |check| &mut check.name)
            })],
        ),
        Function::priced(
            "check",
            &[
                Overload::member(
                    "pathcheck_check",
                    &[PATH_CHECK, "string"],
                    DECISION,
                    |arguments| {
                        let check = own::<PathCheck>(arguments, 0)?;
                        check
                            .authorizer
                            .check(text(arguments, 1)?, Subject::Path(check.path.clone()))
                    },
                ),
                Overload::member(
                    "resourcecheck_check",
                    &[RESOURCE_CHECK, "string"],
                    DECISION,
                    |arguments| {
                        let check = own::<ResourceCheck>(arguments, 0)?;
                        check.authorizer.check(text(arguments, 1)?, check.about())
                    },
                ),
            ],
            cost::authorization,
        ),
        Function::new(
            "errored",
            &[Overload::member("decision_errored", &[DECISION], "bool", |arguments| {
                Ok(Value::Bool(answer(arguments)?.error.is_some()))
            })],
        ),
        Function::new(
            "error",
            &[Overload::member("decision_error", &[DECISION], "string", |arguments| {
                Ok(Value::string(answer(arguments)?.error.as_deref().unwrap_or_default()))
            })],
        ),
        Function::new(
            "allowed",
            &[Overload::member("decision_allowed", &[DECISION], "bool", |arguments| {
                Ok(Value::Bool(answer(arguments)?.allowed))
            })],
        ),
        Function::new(
            "reason",
            &[Overload::member("decision_reason", &[DECISION], "string", |arguments| {
                Ok(Value::string(answer(arguments)?.reason.as_str()))
            })],
        ),
    ],
};

/// Since `AuthorizeWithSelectors`; a selector that does not parse is the authorizer's error.
pub(crate) static SELECTORS: Library = Library {
    since: 31,
    until: u32::MAX,
    types: &[],
    functions: &[
        Function::priced(
            "fieldSelector",
            &[narrowing("authorizer_fieldselector", |arguments| {
                narrowed(arguments, |check| &mut check.field_selector)
            })],
            cost::selector,
        ),
        Function::priced(
            "labelSelector",
            &[narrowing("authorizer_labelselector", |arguments| {
                narrowed(arguments, |check| &mut check.label_selector)
            })],
            cost::selector,
        ),
    ],
};

const fn narrowing(id: &'static str, call: crate::functions::Native) -> Overload {
    Overload::member(id, &[RESOURCE_CHECK, "string"], RESOURCE_CHECK, call)
}

fn narrowed<'a>(
    arguments: &[Value<'a>],
    part: fn(&mut ResourceCheck) -> &mut String,
) -> Outcome<'a> {
    let mut check = own::<ResourceCheck>(arguments, 0)?.clone();
    *part(&mut check) = text(arguments, 1)?.to_owned();
    Ok(Value::opaque(check))
}

fn path<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let authorizer = own::<Authorizer>(arguments, 0)?.clone();
    let path = text(arguments, 1)?;
    if path.trim().is_empty() {
        return Err(EvalError::new("path must not be empty"));
    }
    Ok(Value::opaque(PathCheck { authorizer, path: path.to_owned() }))
}

fn service_account<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let authorizer = own::<Authorizer>(arguments, 0)?;
    let (namespace, name) = (text(arguments, 1)?, text(arguments, 2)?);
    if !format::dns1123_subdomain(name).is_empty() {
        return Err(EvalError::new("Invalid service account name"));
    }
    if !format::dns1123_label(namespace).is_empty() {
        return Err(EvalError::new("Invalid service account namespace"));
    }
    let service_account = Some((namespace.to_owned(), name.to_owned()));
    Ok(Value::opaque(Authorizer { answers: Arc::clone(&authorizer.answers), service_account }))
}

fn resource<'a>(arguments: &[Value<'a>]) -> Outcome<'a> {
    let check = own::<GroupCheck>(arguments, 0)?;
    let resource = text(arguments, 1)?;
    if resource.trim().is_empty() {
        return Err(EvalError::new("resource must not be empty"));
    }
    Ok(Value::opaque(ResourceCheck::new(check.authorizer.clone(), &check.group, resource)))
}

fn answer<'v>(arguments: &'v [Value<'_>]) -> Result<&'v Answer, EvalError> {
    own::<Decision>(arguments, 0).map(|decision| &decision.0)
}

macro_rules! opaque {
    ($($kind:ty: $name:expr),*) => {$(
        impl Opaque for $kind {
            fn type_name(&self) -> &'static str {
                $name
            }

            fn equals(&self, other: &dyn Opaque) -> bool {
                other.as_any().downcast_ref() == Some(self)
            }

            /// The API server compares none of them.
            fn compares_with(&self, _: &dyn Opaque) -> bool {
                false
            }

            fn as_any(&self) -> &dyn Any {
                self
            }
        }
    )*};
}

opaque!(
    Authorizer: AUTHORIZER,
    PathCheck: PATH_CHECK,
    GroupCheck: GROUP_CHECK,
    ResourceCheck: RESOURCE_CHECK,
    Decision: DECISION
);

//! Policies that the API server judges by itself: `admissionregistration.k8s.io/v1` ValidatingAdmissionPolicy and its
//! binding, those of ours alone.
//!
//! They are told from what people apply, `seawall policy export` included, by both [`LABELS`].
use crate::Connection;
use crate::watch::{Kind, resource};
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams};
use serde_json::Value;
use std::time::Duration;

/// On every object of ours; what carries both and is not wanted is deleted.
pub const LABELS: [(&str, &str); 2] = [
    ("app.kubernetes.io/managed-by", "seawall"),
    ("app.kubernetes.io/component", "native-policies"),
];
/// One request; the server compiles every expression of a policy before it answers.
const DEADLINE: Duration = Duration::from_secs(10);
/// Objects per page of a list.
const PAGE: u32 = 500;
/// Objects of one kind that are looked at: more than the agent ever makes.
const MAX_OBJECTS: usize = 10_000;
/// As the API server names whose the fields are.
const MANAGER: &str = "seawall";

/// Both kinds; policies stand before their bindings, and go after them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NativeKind {
    Policy,
    Binding,
}

impl NativeKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "ValidatingAdmissionPolicy",
            Self::Binding => "ValidatingAdmissionPolicyBinding",
        }
    }

    fn api(self, connection: &Connection) -> Api<DynamicObject> {
        let plural = match self {
            Self::Policy => "validatingadmissionpolicies",
            Self::Binding => "validatingadmissionpolicybindings",
        };
        let kind = Kind::new("admissionregistration.k8s.io/v1", self.as_str(), plural);
        Api::all_with(connection.client.clone(), &resource(&kind))
    }
}

#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    #[error("cannot list {}", kind.as_str())]
    List { kind: NativeKind, source: kube::Error },
    #[error("the API server has no {} v1: Kubernetes 1.30 or later is needed", kind.as_str())]
    Unserved { kind: NativeKind },
    #[error("more than {MAX_OBJECTS} objects of {} are labelled as ours", kind.as_str())]
    Many { kind: NativeKind },
    #[error("cannot apply {} {name}", kind.as_str())]
    Apply { kind: NativeKind, name: String, source: kube::Error },
    #[error("cannot delete {} {name}", kind.as_str())]
    Delete { kind: NativeKind, name: String, source: kube::Error },
    #[error("the API server does not answer about {}", kind.as_str())]
    Timeout { kind: NativeKind },
}

/// Those of ours that stand.
pub async fn list(connection: &Connection, kind: NativeKind) -> Result<Vec<Value>, NativeError> {
    let api = kind.api(connection);
    let labels: Vec<String> = LABELS.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut params = ListParams::default().labels(&labels.join(",")).limit(PAGE);
    let mut objects = Vec::new();
    loop {
        let page = tokio::time::timeout(DEADLINE, api.list(&params)).await;
        let page =
            page.map_err(|_| NativeError::Timeout { kind })?.map_err(|source| match source {
                kube::Error::Api(status) if status.code == 404 => NativeError::Unserved { kind },
                source => NativeError::List { kind, source },
            })?;
        objects.extend(page.items.into_iter().filter_map(|item| serde_json::to_value(item).ok()));
        if objects.len() > MAX_OBJECTS {
            return Err(NativeError::Many { kind });
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

/// Server-side apply, with force: whoever changed a field of ours is overruled. Returns what stands now, other people's
/// fields among it.
pub async fn apply(
    connection: &Connection,
    kind: NativeKind,
    name: &str,
    object: &Value,
) -> Result<Value, NativeError> {
    let (api, params) = (kind.api(connection), PatchParams::apply(MANAGER).force());
    let patch = Patch::Apply(object);
    let applied = tokio::time::timeout(DEADLINE, api.patch(name, &params, &patch)).await;
    let failed = |source| NativeError::Apply { kind, name: name.to_owned(), source };
    let applied = applied.map_err(|_| NativeError::Timeout { kind })?.map_err(failed)?;
    serde_json::to_value(applied).map_err(|error| failed(kube::Error::SerdeError(error)))
}

/// What is gone already is as good as deleted.
pub async fn delete(
    connection: &Connection,
    kind: NativeKind,
    name: &str,
) -> Result<(), NativeError> {
    let api = kind.api(connection);
    let params = DeleteParams::default();
    let deleted = tokio::time::timeout(DEADLINE, api.delete(name, &params)).await;
    match deleted.map_err(|_| NativeError::Timeout { kind })? {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        Err(source) => Err(NativeError::Delete { kind, name: name.to_owned(), source }),
    }
}

//! One request to a Kubernetes API server, as its audit log tells it: the same form whichever cloud wrapped it.
//!
//! `rules` decodes these and reads them by Falco's field names. An absent value is `None`, never a guess.
use serde_json::Value;

/// One audit record.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// `auditID`, or what the source has in its place. Clients may choose it, so it identifies nothing alone.
    pub id: Option<String>,
    pub stage: Stage,
    /// Epoch nanoseconds of the stage.
    pub time_ns: Option<u64>,
    /// As the source names the cluster.
    pub cluster: Option<String>,
    /// Who authenticated.
    pub user: Option<String>,
    pub groups: Vec<String>,
    /// In whose name the request was made.
    pub impersonated: Option<String>,
    /// What the client claims first, then the proxies, as the API server lists them.
    pub addresses: Vec<String>,
    pub user_agent: Option<String>,
    pub verb: Option<String>,
    /// Path and query, secrets masked.
    pub uri: Option<String>,
    /// The query, decoded, in order.
    pub query: Vec<(String, String)>,
    pub object: Option<ObjectRef>,
    /// HTTP status.
    pub code: Option<u16>,
    /// The machine's word for a failure, such as `Forbidden`.
    pub reason: Option<String>,
    /// `allow` or `forbid`.
    pub decision: Option<String>,
    pub decision_reason: Option<String>,
    /// The whole record as `audit.k8s.io/v1` writes it, bodies and annotations included, secrets masked.
    pub json: Value,
}

/// How far the request had come. Source: `k8s.io/apiserver/pkg/apis/audit/types.go`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    RequestReceived,
    /// Headers are sent, the body goes on: watches, exec, attach, port-forward.
    ResponseStarted,
    ResponseComplete,
    Panic,
}

impl Stage {
    pub const ALL: [Self; 4] =
        [Self::RequestReceived, Self::ResponseStarted, Self::ResponseComplete, Self::Panic];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::RequestReceived => "RequestReceived",
            Self::ResponseStarted => "ResponseStarted",
            Self::ResponseComplete => "ResponseComplete",
            Self::Panic => "Panic",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == text)
    }
}

/// What the request was about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObjectRef {
    /// Empty for the core group.
    pub group: String,
    pub version: Option<String>,
    /// Plural, such as `pods`.
    pub resource: Option<String>,
    pub subresource: Option<String>,
    pub namespace: Option<String>,
    /// Absent where the server makes the name.
    pub name: Option<String>,
    pub uid: Option<String>,
}

impl AuditEvent {
    /// What was sent: an object, or for patches a part of one or a list of operations.
    pub fn request(&self) -> Option<&Value> {
        self.json.get("requestObject").filter(|body| !body.is_null())
    }

    /// The object that came of it.
    pub fn response(&self) -> Option<&Value> {
        self.json.get("responseObject").filter(|body| !body.is_null())
    }

    /// Name of the object, from the answer where the server made it.
    pub fn name(&self) -> Option<&str> {
        let named = self.object.as_ref().and_then(|object| object.name.as_deref());
        named.filter(|name| !name.is_empty()).or_else(|| self.metadata("name"))
    }

    /// One text of the object's metadata: the answer's, else the request's.
    pub fn metadata(&self, key: &str) -> Option<&str> {
        [self.response(), self.request()].into_iter().flatten().find_map(|body| {
            body.get("metadata")?.get(key)?.as_str().filter(|text| !text.is_empty())
        })
    }
}

//! What an expression asks the outside: may this user do that?

/// One authorization check. Equal questions have equal answers within one review.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// `Some`: the service account (namespace, name) asked about; `None`: the user of the request.
    pub service_account: Option<(String, String)>,
    /// `get`, `create`, …
    pub verb: String,
    pub about: Subject,
}

/// What is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// `authorizer.path(p)`
    Path(String),
    /// `authorizer.group(g).resource(r)…`
    Resource {
        group: String,
        resource: String,
        subresource: String,
        namespace: String,
        name: String,
        /// As written; empty without.
        field_selector: String,
        label_selector: String,
    },
}

/// The authorizer's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub allowed: bool,
    pub reason: String,
    /// Set when the authorizer failed.
    pub error: Option<String>,
}

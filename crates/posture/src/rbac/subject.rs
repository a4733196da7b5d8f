//! Who asks: a user, a group, a service account, and the groups that the API server adds to each.
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Prefix of a service account's user name: `system:serviceaccount:NAMESPACE:NAME`.
const ACCOUNT: &str = "system:serviceaccount:";
pub const AUTHENTICATED: &str = "system:authenticated";
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
pub const ANONYMOUS: &str = "system:anonymous";
/// Its members are asked no question: the API server lets them do everything.
pub const MASTERS: &str = "system:masters";
pub const ALL_ACCOUNTS: &str = "system:serviceaccounts";

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    User(Arc<str>),
    Group(Arc<str>),
    Account { namespace: Arc<str>, name: Arc<str> },
}

impl Subject {
    /// A user by the name the API server knows; a service account's is that service account.
    pub fn user(name: &str) -> Self {
        let parts = name.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':'));
        match parts {
            Some((namespace, account)) if !account.contains(':') && !namespace.is_empty() => {
                Self::account(namespace, account)
            }
            _ => Self::User(name.into()),
        }
    }

    pub fn group(name: &str) -> Self {
        Self::Group(name.into())
    }

    pub fn account(namespace: &str, name: &str) -> Self {
        Self::Account { namespace: namespace.into(), name: name.into() }
    }

    /// An element of a binding's `subjects`; `None` for a kind that the API server does not know. A service account
    /// without a namespace is one of the binding's own.
    pub fn read(value: &Value, binding_namespace: Option<&str>) -> Option<Self> {
        let text =
            |key: &str| value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
        let name = text("name")?;
        match text("kind")? {
            "User" => Some(Self::user(name)),
            "Group" => Some(Self::group(name)),
            "ServiceAccount" => Some(Self::account(text("namespace").or(binding_namespace)?, name)),
            _ => None,
        }
    }

    /// The groups that authentication adds. A group itself stands for somebody who is in it and in no other named one.
    pub fn implied(&self) -> Vec<Subject> {
        match self {
            Self::Account { namespace, .. } => vec![
                Self::Group(format!("{ALL_ACCOUNTS}:{namespace}").into()),
                Self::group(ALL_ACCOUNTS),
                Self::group(AUTHENTICATED),
            ],
            Self::User(name) if name.as_ref() == ANONYMOUS => vec![Self::group(UNAUTHENTICATED)],
            Self::User(_) => vec![Self::group(AUTHENTICATED)],
            Self::Group(name) => match name.as_ref() {
                AUTHENTICATED | UNAUTHENTICATED => Vec::new(),
                ALL_ACCOUNTS => vec![Self::group(AUTHENTICATED)],
                name if name
                    .strip_prefix(ALL_ACCOUNTS)
                    .is_some_and(|rest| rest.starts_with(':')) =>
                {
                    vec![Self::group(ALL_ACCOUNTS), Self::group(AUTHENTICATED)]
                }
                _ => vec![Self::group(AUTHENTICATED)],
            },
        }
    }

    /// The namespace a service account is in, or that all service accounts of a group are in.
    pub fn namespace(&self) -> Option<&str> {
        match self {
            Self::Account { namespace, .. } => Some(namespace),
            Self::Group(name) => name.strip_prefix(ALL_ACCOUNTS)?.strip_prefix(':'),
            Self::User(_) => None,
        }
    }
}

impl fmt::Display for Subject {
    /// `ServiceAccount shop/web`, `Group system:masters`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(f, "User {name}"),
            Self::Group(name) => write!(f, "Group {name}"),
            Self::Account { namespace, name } => write!(f, "ServiceAccount {namespace}/{name}"),
        }
    }
}

#[test]
fn subjects() {
    assert_eq!(Subject::user("system:serviceaccount:a:b"), Subject::account("a", "b"));
    assert_eq!(
        Subject::user("system:serviceaccount:a"),
        Subject::User("system:serviceaccount:a".into())
    );
    let implied = |subject: Subject| {
        subject.implied().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        implied(Subject::account("a", "b")),
        "Group system:serviceaccounts:a, Group system:serviceaccounts, Group system:authenticated"
    );
    assert_eq!(implied(Subject::user(ANONYMOUS)), "Group system:unauthenticated");
    assert_eq!(implied(Subject::group("dev")), "Group system:authenticated");
    assert_eq!(implied(Subject::group(UNAUTHENTICATED)), "");
    let read =
        |kind: &str| Subject::read(&serde_json::json!({"kind": kind, "name": "x"}), Some("n"));
    assert_eq!(read("ServiceAccount"), Some(Subject::account("n", "x")));
    assert_eq!(read("Robot"), None);
}

//! Users, role assignments, tokens, enrolments, exemptions, audit entries.
use super::{Extra, Field, Kind, Narrowing, Noun, Table};
use crate::access::{StoredToken, StoredUser, Token, principal_key};
use crate::audit::AuditEntry;
use crate::enrolment::{Enrolment, StoredEnrolment};
use crate::filter::fold;
use crate::list::Titled;
use seawall_model::access::{RoleAssignment, User};
use seawall_model::exemption::Exemption;
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Severity};
use serde_json::{Value, json};

const ROLES: &[&str] = &["security_reader", "security_admin", "contributor", "owner"];
const SCOPE: Extra = Extra { column: "scope", integer: false };
const DIGEST: Extra = Extra { column: "secret_digest", integer: false };

static USERS: Table = Table {
    noun: "user",
    plural: "users",
    fields: &[
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("disabled", Kind::Bool, "/disabled").required(),
        Field::new("created", Kind::Time, "/created").required(),
        Field::new("last", Kind::Time, "/last_sign_in"),
    ],
    // Users belong to no scope: they are seen by whoever sees the organisation.
    extras: &[
        SCOPE,
        Extra { column: "folded_name", integer: false },
        Extra { column: "password_hash", integer: false },
    ],
    default_sort: "name",
    search: &["/name"],
    narrowing: Narrowing::Nothing,
};

impl Noun for User {
    const TABLE: &'static Table = &USERS;

    fn id(&self) -> Id {
        self.id
    }

    /// The hash is written by [`StoredUser`].
    fn extras(&self) -> Vec<Value> {
        vec![json!(ScopePath::root()), json!(fold(&self.name)), Value::Null]
    }
}

impl Noun for StoredUser {
    const TABLE: &'static Table = &USERS;

    fn id(&self) -> Id {
        self.user.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(ScopePath::root()), json!(fold(&self.user.name)), json!(self.password_hash)]
    }
}

static ASSIGNMENTS: Table = Table {
    noun: "role",
    plural: "roles",
    fields: &[
        Field::new("role", Kind::Word(ROLES), "/role").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("user", Kind::Text, "/principal/id").column("principal_id"),
        Field::new("group", Kind::Text, "/principal/name").column("principal_name"),
        Field::new("created", Kind::Time, "/created").required(),
    ],
    extras: &[Extra { column: "principal", integer: false }],
    default_sort: "scope",
    search: &["/scope", "/principal/name"],
    narrowing: Narrowing::Nothing,
};

impl Noun for RoleAssignment {
    const TABLE: &'static Table = &ASSIGNMENTS;

    fn id(&self) -> Id {
        self.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(principal_key(&self.principal))]
    }
}

static TOKENS: Table = Table {
    noun: "token",
    plural: "tokens",
    fields: &[
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("role", Kind::Word(ROLES), "/role").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("created", Kind::Time, "/created").required(),
        Field::new("expires", Kind::Deadline, "/expires").required(),
        Field::new("last", Kind::Time, "/last_used").live(),
    ],
    extras: &[DIGEST],
    default_sort: "name",
    search: &["/name"],
    narrowing: Narrowing::Nothing,
};

impl Noun for Token {
    const TABLE: &'static Table = &TOKENS;

    fn id(&self) -> Id {
        self.id
    }

    /// Written by [`StoredToken`].
    fn extras(&self) -> Vec<Value> {
        vec![Value::Null]
    }
}

impl Noun for StoredToken {
    const TABLE: &'static Table = &TOKENS;

    fn id(&self) -> Id {
        self.token.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(self.digest)]
    }
}

static ENROLMENTS: Table = Table {
    noun: "enrolment",
    plural: "enrolments",
    fields: &[
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("created", Kind::Time, "/created").required(),
        Field::new("expires", Kind::Deadline, "/expires").required(),
        Field::new("revoked", Kind::Bool, "/revoked").required(),
        Field::new("accepted", Kind::Bool, "/accepted").required(),
        Field::new("cluster", Kind::List, "/uses/*/cluster_name").column("cluster_names"),
        Field::new("refused", Kind::Number, "/refused").required(),
    ],
    extras: &[DIGEST, Extra { column: "trusted", integer: true }],
    default_sort: "-created",
    search: &["/scope"],
    narrowing: Narrowing::Nothing,
};

impl Noun for Enrolment {
    const TABLE: &'static Table = &ENROLMENTS;

    fn id(&self) -> Id {
        self.id
    }

    /// Written by [`StoredEnrolment`].
    fn extras(&self) -> Vec<Value> {
        vec![Value::Null, Value::Null]
    }
}

impl Noun for StoredEnrolment {
    const TABLE: &'static Table = &ENROLMENTS;

    fn id(&self) -> Id {
        self.enrolment.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(self.digest), json!(i64::from(self.trusted))]
    }
}

static EXEMPTIONS: Table = Table {
    noun: "exemption",
    plural: "exemptions",
    fields: &[
        Field::new("rule", Kind::Text, "/target/rule").required(),
        Field::new("namespace", Kind::Text, "/target/namespace"),
        Field::new("resource", Kind::Text, "/target/resource"),
        Field::new("package", Kind::Text, "/target/package"),
        Field::new("category", Kind::Word(&["mitigated", "risk_accepted"]), "/category").required(),
        Field::new(
            "state",
            Kind::Word(&["requested", "granted", "denied", "expired", "revoked"]),
            "/state",
        )
        .required(),
        Field::new("owner", Kind::Text, "/owner").required(),
        Field::new(
            "source",
            Kind::Word(&["ui", "api", "annotation", "ignore_file", "vex"]),
            "/source",
        )
        .required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("matches", Kind::Number, "/matches").required(),
        Field::new("expires", Kind::Deadline, "/expires").required(),
        Field::new("created", Kind::Time, "/created").required(),
    ],
    extras: &[],
    default_sort: "expires",
    search: &["/target/rule", "/target/resource", "/reason", "/owner"],
    narrowing: Narrowing::Namespace,
};

impl Noun for Exemption {
    const TABLE: &'static Table = &EXEMPTIONS;

    fn id(&self) -> Id {
        self.id
    }
}

impl Titled for Exemption {
    fn title(&self) -> (String, String, Option<Severity>) {
        (format!("Exemption from {}", self.target.rule), self.reason.clone(), None)
    }
}

static AUDIT: Table = Table {
    noun: "audit entry",
    plural: "audit",
    fields: &[
        Field::new("position", Kind::Number, "/position").required(),
        Field::new("at", Kind::Time, "/at").required(),
        Field::new("actor", Kind::Text, "/actor").required(),
        Field::new("action", Kind::Text, "/action").required(),
        Field::new("target", Kind::Text, "/target").required(),
    ],
    // The log speaks of the whole hub: it is seen by whoever sees the organisation.
    extras: &[SCOPE],
    default_sort: "-position",
    search: &["/actor", "/action", "/target"],
    narrowing: Narrowing::Nothing,
};

impl Noun for AuditEntry {
    const TABLE: &'static Table = &AUDIT;

    fn id(&self) -> Id {
        self.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(ScopePath::root())]
    }
}

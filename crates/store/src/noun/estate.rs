//! Scopes, clusters, agents, assets.
use super::{Extra, Field, Kind, Narrowing, Noun, Table};
use crate::asset::StoredAsset;
use crate::estate::StoredAgent;
use crate::list::Titled;
use seawall_model::asset::{Agent, Asset, Cluster};
use seawall_model::scope::Scope;
use seawall_model::{Id, Severity};
use serde_json::{Value, json};

const SCOPE_KINDS: &[&str] = &["organisation", "account", "cluster", "registry", "node"];

static SCOPES: Table = Table {
    noun: "scope",
    plural: "scopes",
    fields: &[
        Field::new("path", Kind::Text, "/path").column("scope").required(),
        Field::new("scope", Kind::Text, "/path").required(),
        Field::new("kind", Kind::Word(SCOPE_KINDS), "/kind").required(),
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("created", Kind::Time, "/created").required(),
    ],
    extras: &[],
    default_sort: "path",
    search: &["/name", "/path"],
    narrowing: Narrowing::Place,
};

impl Noun for Scope {
    const TABLE: &'static Table = &SCOPES;

    fn id(&self) -> Id {
        self.id
    }
}

static CLUSTERS: Table = Table {
    noun: "cluster",
    plural: "clusters",
    fields: &[
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("uid", Kind::Text, "/uid").required(),
        Field::new("kind", Kind::Word(&["kubernetes", "machine"]), "/kind").required(),
        Field::new("version", Kind::Text, "/version").column("server_version"),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("first", Kind::Time, "/first_seen").required(),
        Field::new("last", Kind::Time, "/last_seen").live().required(),
        Field::new("age", Kind::Time, "/first_seen").column("first").required(),
    ],
    extras: &[],
    default_sort: "name",
    search: &["/name", "/uid"],
    narrowing: Narrowing::Place,
};

impl Noun for Cluster {
    const TABLE: &'static Table = &CLUSTERS;

    fn id(&self) -> Id {
        self.id
    }
}

impl Titled for Cluster {
    fn title(&self) -> (String, String, Option<Severity>) {
        (self.name.clone(), self.version.clone().unwrap_or_default(), None)
    }
}

static AGENTS: Table = Table {
    noun: "agent",
    plural: "agents",
    fields: &[
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("role", Kind::Word(&["cluster_agent", "sensor"]), "/role").required(),
        Field::new("cluster", Kind::Text, "/cluster").required(),
        Field::new("version", Kind::Text, "/version").column("agent_version").required(),
        Field::new("revoked", Kind::Bool, "/revoked").required(),
        Field::new("connected", Kind::Bool, "/connected").live().required(),
        Field::new("sequence", Kind::Number, "/last_sequence").live().required(),
        Field::new("certificate", Kind::Deadline, "/certificate_expires").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("first", Kind::Time, "/first_seen").required(),
        Field::new("last", Kind::Time, "/last_seen").live().required(),
        Field::new("age", Kind::Time, "/first_seen").column("first").required(),
    ],
    extras: &[
        Extra { column: "cluster_uid", integer: false },
        Extra { column: "service_account", integer: false },
    ],
    default_sort: "name",
    search: &["/name", "/cluster", "/version"],
    narrowing: Narrowing::Nothing,
};

impl Noun for Agent {
    const TABLE: &'static Table = &AGENTS;

    fn id(&self) -> Id {
        self.id
    }

    /// Written by [`StoredAgent`].
    fn extras(&self) -> Vec<Value> {
        vec![Value::Null, Value::Null]
    }
}

impl Noun for StoredAgent {
    const TABLE: &'static Table = &AGENTS;

    fn id(&self) -> Id {
        self.agent.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(self.cluster_uid), json!(self.service_account)]
    }
}

static ASSETS: Table = Table {
    noun: "asset",
    plural: "assets",
    fields: &[
        Field::new("kind", Kind::Text, "/kind").required(),
        Field::new("api_version", Kind::Text, "/api_version").required(),
        Field::new("namespace", Kind::Text, "/namespace"),
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("owner", Kind::Text, "/owner"),
        Field::new("cluster", Kind::Text, "/cluster").required(),
        Field::new("uid", Kind::Text, "/uid").required(),
        Field::new("image", Kind::List, "/images/*/name").column("image_names"),
        Field::new("digest", Kind::List, "/images/*/digest").column("image_digests"),
        Field::new("label", Kind::List, "/labels/*").column("labels"),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("first", Kind::Time, "/first_seen").required(),
        Field::new("last", Kind::Time, "/last_seen").live().required(),
        Field::new("age", Kind::Time, "/first_seen").column("first").required(),
    ],
    extras: &[Extra { column: "origin", integer: false }],
    default_sort: "name",
    search: &["/kind", "/namespace", "/name", "/owner"],
    narrowing: Narrowing::Namespace,
};

impl Noun for Asset {
    const TABLE: &'static Table = &ASSETS;

    fn id(&self) -> Id {
        self.id
    }

    /// Written by [`StoredAsset`].
    fn extras(&self) -> Vec<Value> {
        vec![Value::Null]
    }
}

impl Noun for StoredAsset {
    const TABLE: &'static Table = &ASSETS;

    fn id(&self) -> Id {
        self.asset.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(self.origin)]
    }
}

impl Titled for Asset {
    fn title(&self) -> (String, String, Option<Severity>) {
        let title = format!("{}/{}", self.kind, self.name);
        (title, self.namespace.clone().unwrap_or_default(), None)
    }
}

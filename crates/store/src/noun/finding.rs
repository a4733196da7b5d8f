//! Findings, recommendations and moves of the score.
use super::{Extra, Field, Kind, Narrowing, Noun, Table};
use crate::finding::StoredFinding;
use crate::list::Titled;
use crate::store::Store;
use crate::visible::Visible;
use crate::{Result, recommendation};
use seawall_model::finding::Finding;
use seawall_model::recommendation::{Recommendation, ScoreDelta};
use seawall_model::{Id, Severity};
use serde_json::{Value, json};

const KINDS: &[&str] = &["control", "vulnerability"];
const STATES: &[&str] = &["unhealthy", "healthy", "not_applicable", "exempt", "unknown"];
const FIXES: &[&str] = &[
    "available",
    "in_channel",
    "none",
    "deferred",
    "will_not_fix",
    "end_of_life",
    "under_investigation",
    "unknown",
];
const CATEGORIES: &[&str] = &["mitigated", "risk_accepted"];

static FINDINGS: Table = Table {
    noun: "finding",
    plural: "findings",
    fields: &[
        Field::new("kind", Kind::Word(KINDS), "/kind").required(),
        Field::new("rule", Kind::Text, "/rule").required(),
        Field::new("title", Kind::Text, "/title").required(),
        Field::new("severity", Kind::Severity, "/severity").required(),
        Field::new("state", Kind::Word(STATES), "/state").required(),
        Field::new("reason", Kind::Text, "/reason"),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("cluster", Kind::Text, "/cluster"),
        Field::new("namespace", Kind::Text, "/namespace"),
        Field::new("resource", Kind::Text, "/resource").required(),
        Field::new("resource_key", Kind::Text, "/resource_key").required(),
        Field::new("package", Kind::Text, "/package"),
        Field::new("version", Kind::Text, "/detail/package/version").column("package_version"),
        Field::new("purl", Kind::Text, "/detail/package/purl"),
        Field::new("alias", Kind::List, "/detail/aliases").column("aliases"),
        Field::new("fix", Kind::Word(FIXES), "/detail/fix/status").column("fix_status"),
        Field::new("fixable", Kind::Bool, "/fix_available").required(),
        Field::new("kev", Kind::Bool, "/kev").required(),
        Field::new("epss", Kind::Decimal, "/epss"),
        Field::new("framework", Kind::List, "/detail/frameworks").column("frameworks"),
        Field::new("exemption", Kind::Text, "/detail/exemption/id"),
        Field::new("category", Kind::Word(CATEGORIES), "/detail/exemption/category"),
        Field::new("first", Kind::Time, "/first").required(),
        Field::new("last", Kind::Time, "/last").live().required(),
        Field::new("age", Kind::Time, "/first").column("first").required(),
    ],
    extras: &[
        Extra { column: "work", integer: false },
        Extra { column: "subject", integer: false },
        Extra { column: "image", integer: false },
    ],
    default_sort: "-severity",
    search: &[
        "/rule",
        "/title",
        "/cluster",
        "/namespace",
        "/resource",
        "/package",
        "/detail/message",
        "/detail/package/purl",
    ],
    narrowing: Narrowing::NamespaceOrRunning,
};

impl Noun for Finding {
    const TABLE: &'static Table = &FINDINGS;

    fn id(&self) -> Id {
        self.id
    }

    /// Written by [`StoredFinding`].
    fn extras(&self) -> Vec<Value> {
        vec![json!(crate::finding::work(self)), Value::Null, Value::Null]
    }
}

impl Noun for StoredFinding {
    const TABLE: &'static Table = &FINDINGS;

    fn id(&self) -> Id {
        self.finding.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(crate::finding::work(&self.finding)), json!(self.subject), json!(self.image)]
    }
}

impl Titled for Finding {
    fn title(&self) -> (String, String, Option<Severity>) {
        (self.title.clone(), format!("{} on {}", self.rule, self.resource), Some(self.severity))
    }
}

const STATUSES: &[&str] = &["open", "assigned", "resolved", "regressed"];

static RECOMMENDATIONS: Table = Table {
    noun: "recommendation",
    plural: "recommendations",
    fields: &[
        Field::new("rule", Kind::Text, "/rule").required(),
        Field::new("kind", Kind::Word(KINDS), "/kind").required(),
        Field::new("title", Kind::Text, "/title").required(),
        Field::new("severity", Kind::Severity, "/severity").required(),
        Field::new("status", Kind::Word(STATUSES), "/status").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("owner", Kind::Text, "/owner"),
        Field::new("due", Kind::Deadline, "/due"),
        Field::new("affected", Kind::Number, "/affected").required().whole(),
        Field::new("healthy", Kind::Number, "/healthy").required().whole(),
        Field::new("unknown", Kind::Number, "/unknown").column("undecided").required().whole(),
        Field::new("exempt", Kind::Number, "/exempt").required().whole(),
        Field::new("group", Kind::Text, "/score_group").column("score_group"),
        Field::new("framework", Kind::List, "/frameworks").column("frameworks"),
        Field::new("first", Kind::Time, "/first").required(),
        Field::new("last", Kind::Time, "/last").required(),
        Field::new("age", Kind::Time, "/first").column("first").required(),
    ],
    extras: &[],
    default_sort: "-severity",
    search: &["/rule", "/title", "/description", "/owner"],
    narrowing: Narrowing::Findings,
};

impl Noun for Recommendation {
    const TABLE: &'static Table = &RECOMMENDATIONS;

    fn id(&self) -> Id {
        self.id
    }

    /// A narrowed grant gets the counts of its own namespaces.
    async fn hydrate(store: &Store, visible: &Visible, items: &mut [Self]) -> Result<()> {
        recommendation::recount_for(store, visible, items).await
    }
}

impl Titled for Recommendation {
    fn title(&self) -> (String, String, Option<Severity>) {
        (self.title.clone(), self.rule.clone(), Some(self.severity))
    }
}

static SCORE_DELTAS: Table = Table {
    noun: "score",
    plural: "score_deltas",
    fields: &[
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("at", Kind::Time, "/at").required(),
        Field::new("age", Kind::Time, "/at").column("at").required(),
        Field::new("from", Kind::Decimal, "/from").column("score_from"),
        Field::new("to", Kind::Decimal, "/to").column("score_to"),
        Field::new("cause", Kind::Text, "/cause").required(),
    ],
    extras: &[],
    default_sort: "-at",
    search: &["/cause"],
    narrowing: Narrowing::Nothing,
};

impl Noun for ScoreDelta {
    const TABLE: &'static Table = &SCORE_DELTAS;

    fn id(&self) -> Id {
        self.id
    }
}

//! Assignments, decisions, gaps.
use super::{Field, Kind, Narrowing, Noun, Table};
use seawall_model::Id;
use seawall_model::admission::{Assignment, StoredDecision, StoredGap};

pub(super) const ACTIONS: &[&str] = &["off", "audit", "warn", "deny"];
const VERDICTS: &[&str] = &["audited", "warned", "denied"];

static ASSIGNMENTS: Table = Table {
    noun: "assignment",
    plural: "assignments",
    fields: &[
        Field::new("target", Kind::Text, "/target").required(),
        Field::new("action", Kind::Word(ACTIONS), "/action").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("created", Kind::Time, "/created").required(),
        Field::new("updated", Kind::Time, "/updated").required(),
        Field::new("age", Kind::Time, "/created").column("created").required(),
    ],
    extras: &[],
    default_sort: "-updated",
    search: &["/target", "/scope"],
    narrowing: Narrowing::Nothing,
};

impl Noun for Assignment {
    const TABLE: &'static Table = &ASSIGNMENTS;

    fn id(&self) -> Id {
        self.id
    }
}

static DECISIONS: Table = Table {
    noun: "decision",
    plural: "decisions",
    fields: &[
        Field::new("verdict", Kind::Word(VERDICTS), "/verdict").required(),
        Field::new("operation", Kind::Text, "/operation").required(),
        Field::new("kind", Kind::Text, "/resource/kind").required(),
        Field::new("namespace", Kind::Text, "/resource/namespace"),
        Field::new("name", Kind::Text, "/resource/name").required(),
        Field::new("control", Kind::List, "/controls/*/control").column("controls"),
        Field::new("user", Kind::Text, "/user").column("actor").required(),
        Field::new("cluster", Kind::Text, "/cluster").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("time", Kind::Time, "/time").required(),
        Field::new("age", Kind::Time, "/time").column("time").required(),
    ],
    extras: &[],
    default_sort: "-time",
    search: &["/resource/name", "/user", "/owner", "/controls/0/title"],
    narrowing: Narrowing::Namespace,
};

impl Noun for StoredDecision {
    const TABLE: &'static Table = &DECISIONS;

    fn id(&self) -> Id {
        self.id
    }
}

static GAPS: Table = Table {
    noun: "gap",
    plural: "gaps",
    fields: &[
        Field::new("reason", Kind::Text, "/reason").required(),
        Field::new("requests", Kind::Number, "/requests"),
        Field::new("cluster", Kind::Text, "/cluster").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("from", Kind::Time, "/from").column("begun").required(),
        Field::new("to", Kind::Time, "/to").column("ended").required(),
        Field::new("age", Kind::Time, "/to").column("ended").required(),
    ],
    extras: &[],
    default_sort: "-to",
    search: &["/reason", "/cluster"],
    narrowing: Narrowing::Nothing,
};

impl Noun for StoredGap {
    const TABLE: &'static Table = &GAPS;

    fn id(&self) -> Id {
        self.id
    }
}

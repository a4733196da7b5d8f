//! Policy sets and what clusters said of them.
use super::admission::ACTIONS;
use super::{Field, Kind, Narrowing, Noun, Table};
use crate::error::Result;
use crate::list::Titled;
use crate::policy_set::{PolicySetEntry, fill_trials};
use crate::store::Store;
use crate::visible::Visible;
use seawall_model::policy_set::StoredTrial;
use seawall_model::{Id, Severity};

static POLICY_SETS: Table = Table {
    noun: "policy_set",
    plural: "policy_sets",
    fields: &[
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("action", Kind::Word(ACTIONS), "/action").required(),
        // `version` is the payload's.
        Field::new("version", Kind::Number, "/version").column("text_version").required(),
        Field::new("size", Kind::Number, "/size").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("created", Kind::Time, "/created").required(),
        Field::new("updated", Kind::Time, "/updated").required(),
        Field::new("age", Kind::Time, "/created").column("created").required(),
    ],
    extras: &[],
    default_sort: "name",
    search: &["/name", "/scope"],
    narrowing: Narrowing::Nothing,
};

impl Noun for PolicySetEntry {
    const TABLE: &'static Table = &POLICY_SETS;

    fn id(&self) -> Id {
        self.id
    }

    async fn hydrate(store: &Store, visible: &Visible, items: &mut [Self]) -> Result<()> {
        fill_trials(store, visible, items).await
    }
}

impl Titled for PolicySetEntry {
    fn title(&self) -> (String, String, Option<Severity>) {
        (self.name.clone(), self.scope.to_string(), None)
    }
}

static TRIALS: Table = Table {
    noun: "trial",
    plural: "trials",
    fields: &[
        // `set` is a word of SQL.
        Field::new("set", Kind::Text, "/set").column("policy_set").required(),
        Field::new("version", Kind::Number, "/version").column("text_version").required(),
        Field::new("objects_judged", Kind::Number, "/objects/judged").required(),
        Field::new("objects_refused", Kind::Number, "/objects/refused").required(),
        Field::new("objects_warned", Kind::Number, "/objects/warned").required(),
        Field::new("objects_undecided", Kind::Number, "/objects/undecided").required(),
        Field::new("requests_judged", Kind::Number, "/requests/judged").required(),
        Field::new("requests_refused", Kind::Number, "/requests/refused").required(),
        Field::new("requests_warned", Kind::Number, "/requests/warned").required(),
        Field::new("requests_undecided", Kind::Number, "/requests/undecided").required(),
        Field::new("cluster", Kind::Text, "/cluster").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("time", Kind::Time, "/time").required(),
        Field::new("age", Kind::Time, "/time").column("time").required(),
    ],
    extras: &[],
    default_sort: "-time",
    search: &["/cluster", "/scope"],
    narrowing: Narrowing::Nothing,
};

impl Noun for StoredTrial {
    const TABLE: &'static Table = &TRIALS;

    fn id(&self) -> Id {
        self.id
    }
}

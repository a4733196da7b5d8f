//! Alerts and events (stored firings).
use super::{Extra, Field, Kind, Narrowing, Noun, Table};
use crate::alert::{StoredFiring, correlation_of};
use crate::list::Titled;
use seawall_model::alert::{Alert, AlertState};
use seawall_model::{Id, Severity};
use serde_json::{Value, json};

const STATES: &[&str] = &["active", "in_progress", "resolved", "dismissed"];

static ALERTS: Table = Table {
    noun: "alert",
    plural: "alerts",
    fields: &[
        Field::new("detection", Kind::Text, "/detection").required(),
        Field::new("title", Kind::Text, "/title").required(),
        Field::new("severity", Kind::Severity, "/severity").required(),
        Field::new("state", Kind::Word(STATES), "/state").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("cluster", Kind::Text, "/where/cluster").required(),
        Field::new("node", Kind::Text, "/where/node"),
        Field::new("namespace", Kind::Text, "/where/namespace"),
        Field::new("workload", Kind::Text, "/where/workload"),
        Field::new("pod", Kind::Text, "/where/pod"),
        Field::new("container", Kind::Text, "/where/container"),
        Field::new("image", Kind::Text, "/where/image/name"),
        Field::new("digest", Kind::Text, "/where/image/digest"),
        Field::new("tactic", Kind::List, "/tactics"),
        Field::new("technique", Kind::List, "/mitre"),
        Field::new("source", Kind::Text, "/source").required(),
        Field::new("actor", Kind::Text, "/actor/user"),
        Field::new("process", Kind::Text, "/process/0/name"),
        Field::new("exe", Kind::Text, "/process/0/exe"),
        Field::new("count", Kind::Number, "/count").required(),
        Field::new("lost", Kind::Number, "/lost_nearby").required(),
        Field::new("first", Kind::Time, "/first").required(),
        Field::new("last", Kind::Time, "/last").required(),
        Field::new("age", Kind::Time, "/first").column("first").required(),
    ],
    extras: &[
        Extra { column: "correlation", integer: false },
        Extra { column: "is_open", integer: true },
    ],
    default_sort: "-last",
    search: &[
        "/title",
        "/detection",
        "/output",
        "/where/cluster",
        "/where/node",
        "/where/namespace",
        "/where/workload",
        "/where/pod",
        "/where/container",
        "/where/image/name",
        "/process/0/exe",
        "/actor/user",
    ],
    narrowing: Narrowing::Namespace,
};

impl Noun for Alert {
    const TABLE: &'static Table = &ALERTS;

    fn id(&self) -> Id {
        self.id
    }

    fn extras(&self) -> Vec<Value> {
        vec![json!(correlation_of(&self.firing)), json!(i64::from(AlertState::is_open(self.state)))]
    }
}

impl Titled for Alert {
    fn title(&self) -> (String, String, Option<Severity>) {
        let place = &self.firing.location;
        let parts = [Some(&place.cluster), place.namespace.as_ref(), place.workload.as_ref()];
        let place: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        (self.firing.title.clone(), place.join(" / "), Some(self.firing.severity))
    }
}

static EVENTS: Table = Table {
    noun: "event",
    plural: "events",
    fields: &[
        Field::new("alert", Kind::Text, "/alert").required(),
        Field::new("agent", Kind::Text, "/agent").required(),
        Field::new("sequence", Kind::Number, "/sequence").required(),
        Field::new("index", Kind::Number, "/index").column("position").required(),
        Field::new("time", Kind::Time, "/time").column("at").required(),
        Field::new("age", Kind::Time, "/time").column("at").required(),
        Field::new("detection", Kind::Text, "/firing/detection").required(),
        Field::new("severity", Kind::Severity, "/firing/severity").required(),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("cluster", Kind::Text, "/firing/where/cluster").required(),
        Field::new("node", Kind::Text, "/firing/where/node"),
        Field::new("namespace", Kind::Text, "/firing/where/namespace"),
        Field::new("workload", Kind::Text, "/firing/where/workload"),
        Field::new("pod", Kind::Text, "/firing/where/pod"),
        Field::new("exe", Kind::Text, "/firing/process/0/exe"),
    ],
    extras: &[],
    default_sort: "-time",
    search: &["/firing/title", "/firing/output", "/firing/where/workload", "/firing/where/pod"],
    narrowing: Narrowing::Namespace,
};

impl Noun for StoredFiring {
    const TABLE: &'static Table = &EVENTS;

    fn id(&self) -> Id {
        self.id
    }
}

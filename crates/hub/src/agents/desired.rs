//! What the hub wants of one cluster's agents: assignments resolved to controls, and users' policy sets.
use crate::api::assignments::covered;
use crate::app::App;
use seawall_model::admission::{Desired, Policy};
use seawall_model::policy_set::DesiredSet;
use seawall_model::scope::ScopePath;
use seawall_store::{Assignments, PolicySetEntry, PolicySets};
use seawall_wire::{MAX_DESIRED_BYTES, MAX_DESIRED_POLICIES, MAX_DESIRED_SET_BYTES};
use serde_json::{Map, Value, json};

/// What holds at a scope. Looked at every few seconds for every agent: texts of sets are read only to be told.
pub(super) struct Wanted {
    policies: Vec<Policy>,
    sets: Vec<PolicySetEntry>,
}

/// The policies and sets that hold at `scope`, in a stable order. Which of several policies counts for an object is the
/// agent's to say: it sees the object.
pub(super) async fn wanted(app: &App, scope: &ScopePath) -> seawall_store::Result<Wanted> {
    let policies = policies(app, scope).await?;
    let mut sets = app.store.policy_sets_at(scope).await?;
    sets.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
    Ok(Wanted { policies, sets })
}

/// The assignments that hold at `scope`, resolved to controls, in a stable order.
pub(crate) async fn policies(app: &App, scope: &ScopePath) -> seawall_store::Result<Vec<Policy>> {
    let mut policies = Vec::new();
    for assignment in app.store.assignments_at(scope).await? {
        let depth = assignment.scope.as_str().matches('/').count();
        for control in covered(&app.content, &assignment.target) {
            policies.push(Policy {
                assignment: assignment.id,
                control: control.to_owned(),
                depth: u32::try_from(depth).unwrap_or(u32::MAX),
                narrowing: assignment.narrowing.clone(),
                action: assignment.action,
                params: declared(app, control, &assignment.params),
            });
        }
    }
    policies.sort_by(|a, b| (&a.control, a.assignment).cmp(&(&b.control, b.assignment)));
    Ok(policies)
}

impl Wanted {
    /// The same where the same is to be told: a set's version stands for its text.
    pub(super) fn mark(&self) -> Vec<u8> {
        let sets = self.sets.iter().map(|set| json!([set.id, set.name, set.version, set.action]));
        let sets: Vec<Value> = sets.collect();
        serde_json::to_vec(&(&self.policies, sets)).expect("policies serialise")
    }

    /// A set that was deleted meanwhile is left out.
    pub(super) async fn with_texts(self, app: &App) -> seawall_store::Result<Desired> {
        let Self { policies, sets } = self;
        let ids: Vec<_> = sets.iter().map(|set| set.id).collect();
        let mut texts = app.store.policy_set_texts(&ids).await?;
        let told = sets.into_iter().filter_map(|PolicySetEntry { id, name, action, .. }| {
            let (version, text) = texts.remove(&id)?;
            Some(DesiredSet { set: id, name, version, text, action })
        });
        Ok(Desired { policies, sets: told.collect() })
    }
}

/// Those that the control has: a framework's assignment names parameters of several controls, and an agent takes no
/// policy with one that it does not know.
fn declared(app: &App, control: &str, params: &Map<String, Value>) -> Map<String, Value> {
    let Some(entry) = app.content.control(control) else { return Map::new() };
    let own = params.iter().filter(|(name, _)| entry.params.contains_key(*name));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The text as it travels; `None` where it is over what both sides agreed on. Assignments and sets are refused before
/// that, but two at once, or content with more controls, can still come to it.
pub(super) fn encoded(desired: &Desired) -> Option<Vec<u8>> {
    let config_json = serde_json::to_vec(desired).expect("policies serialise");
    let texts: usize = desired.sets.iter().map(|set| set.text.len()).sum();
    let fits = config_json.len() <= MAX_DESIRED_BYTES
        && desired.policies.len() <= MAX_DESIRED_POLICIES
        && texts <= MAX_DESIRED_SET_BYTES;
    fits.then_some(config_json)
}

#[test]
fn what_is_too_large_is_not_told() {
    let check = |(policies, params): (usize, usize), text: usize, expected: bool| {
        let policy = Policy {
            assignment: seawall_model::Id::new(1, [0; 10]),
            control: "SW-C-0001".to_owned(),
            depth: 1,
            narrowing: Default::default(),
            action: Default::default(),
            params: [("p".to_owned(), "x".repeat(params).into())].into_iter().collect(),
        };
        let set = DesiredSet {
            set: policy.assignment,
            name: "library".to_owned(),
            version: 1,
            text: "x".repeat(text),
            action: Default::default(),
        };
        let desired = Desired { policies: vec![policy; policies], sets: vec![set] };
        assert_eq!(encoded(&desired).is_some(), expected, "{policies} of {params}, {text}");
    };
    check((0, 0), 0, true);
    check((MAX_DESIRED_POLICIES, 0), 0, true);
    check((MAX_DESIRED_POLICIES + 1, 0), 0, false);
    check((1, MAX_DESIRED_BYTES), 0, false);
    check((1, 0), MAX_DESIRED_SET_BYTES, true);
    check((1, 0), MAX_DESIRED_SET_BYTES + 1, false);
}

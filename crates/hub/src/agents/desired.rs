//! What the hub wants of one cluster's agents: assignments resolved to controls.
use crate::api::assignments::covered;
use crate::app::App;
use seawall_model::admission::{Desired, Policy};
use seawall_model::scope::ScopePath;
use seawall_store::Assignments;
use seawall_wire::{MAX_DESIRED_BYTES, MAX_DESIRED_POLICIES};
use serde_json::{Map, Value};

/// The policies that hold at `scope`, in a stable order. Which of several counts for an object is the agent's to say:
/// it sees the object.
pub(super) async fn desired(app: &App, scope: &ScopePath) -> seawall_store::Result<Desired> {
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
    Ok(Desired { policies, sets: Vec::new() })
}

/// Those that the control has: a framework's assignment names parameters of several controls, and an agent takes no
/// policy with one that it does not know.
fn declared(app: &App, control: &str, params: &Map<String, Value>) -> Map<String, Value> {
    let Some(entry) = app.content.control(control) else { return Map::new() };
    let own = params.iter().filter(|(name, _)| entry.params.contains_key(*name));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The text as it travels; `None` where it is over what both sides agreed on. Assignments are refused before that, but
/// two at once, or content with more controls, can still come to it.
pub(super) fn encoded(desired: &Desired) -> Option<Vec<u8>> {
    let config_json = serde_json::to_vec(desired).expect("policies serialise");
    let fits =
        config_json.len() <= MAX_DESIRED_BYTES && desired.policies.len() <= MAX_DESIRED_POLICIES;
    fits.then_some(config_json)
}

#[test]
fn what_is_too_large_is_not_told() {
    let check = |policies: usize, params: usize, expected: bool| {
        let policy = Policy {
            assignment: seawall_model::Id::new(1, [0; 10]),
            control: "SW-C-0001".to_owned(),
            depth: 1,
            narrowing: Default::default(),
            action: Default::default(),
            params: [("p".to_owned(), "x".repeat(params).into())].into_iter().collect(),
        };
        let desired = Desired { policies: vec![policy; policies], sets: Vec::new() };
        assert_eq!(encoded(&desired).is_some(), expected, "{policies} of {params}");
    };
    check(0, 0, true);
    check(MAX_DESIRED_POLICIES, 0, true);
    check(MAX_DESIRED_POLICIES + 1, 0, false);
    check(1, MAX_DESIRED_BYTES, false);
}

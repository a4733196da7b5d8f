//! What the hub wants of one cluster's agents: assignments resolved to controls.
use crate::api::assignments::covered;
use crate::app::App;
use seawall_model::admission::{Desired, Policy};
use seawall_model::scope::ScopePath;
use seawall_store::Assignments;

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
                params: assignment.params.clone(),
            });
        }
    }
    policies.sort_by(|a, b| (&a.control, a.assignment).cmp(&(&b.control, b.assignment)));
    Ok(Desired { policies })
}

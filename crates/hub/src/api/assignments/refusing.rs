//! What an assignment would refuse if everything were made anew now.
use super::covered;
use crate::api::problem::Refusal;
use crate::app::App;
use crate::auth::{Action, Caller};
use seawall_model::admission::Assignment;
use seawall_store::Findings;

/// Agents judge nothing there, whatever is assigned. Source: posture.md, section 8.
const NEVER_JUDGED: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Resources that fail a control of the assignment today, each once. Findings know kind and namespace, and no labels.
pub(super) async fn count(
    app: &App,
    caller: &Caller,
    assignment: &Assignment,
) -> Result<u64, Refusal> {
    let Assignment { target, scope, narrowing, .. } = assignment;
    let controls = covered(&app.content, target);
    let visible = caller.visible(Action::View);
    let failing = app.store.failing_resources(&visible, scope, &controls, &narrowing.kinds).await?;
    let meant = failing.into_iter().filter(|(namespace, _)| {
        let namespace = namespace.as_deref().unwrap_or_default();
        !NEVER_JUDGED.contains(&namespace) && narrowing.holds_in(namespace)
    });
    Ok(meant.map(|(_, count)| count).sum())
}

//! Assets as written: with what reported them, which decides what a full listing may end.
use crate::cell::clip;
use crate::error::Result;
use crate::list::{self, select_of};
use crate::put::put;
use crate::store::{NewChange, Tx};
use seawall_model::Problem;
use seawall_model::asset::Asset;
use seawall_model::problem::ProblemKind;
use seawall_model::scope::ScopePath;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredAsset {
    pub(crate) asset: seawall_model::asset::Asset,
    /// [`OBJECT`] or [`NODE`].
    #[serde(skip)]
    pub(crate) origin: &'static str,
}

/// Reported by an assessment of a Kubernetes object.
pub(crate) const OBJECT: &str = "object";
/// Reported by the inventory of a node.
pub(crate) const NODE: &str = "node";

/// Gaps kept of one node; the last entry counts the rest.
const MAX_GAPS: usize = 50;

/// The node's packages were matched: notes what was left out.
pub(crate) async fn node_matched(
    tx: &mut Tx,
    scope: &ScopePath,
    name: &str,
    problems: Vec<Problem>,
) -> Result<()> {
    let mut sql = select_of::<Asset>().text(scope).text(clip(name)).text(NODE);
    sql.push("t.scope = $1 AND t.uid = $2 AND t.origin = $3");
    let Some(row) = tx.row("look for a node", sql).await? else { return Ok(()) };
    let mut asset: Asset = list::decode(&row)?;
    let left_out = Some(left_out(problems));
    if asset.coverage_problems == left_out {
        return Ok(());
    }
    asset.coverage_problems = left_out;
    tx.changed(NewChange {
        noun: "asset",
        id: asset.id,
        revision: u64::try_from(tx.now).unwrap_or_default(),
        scope: asset.scope.clone(),
        namespace: None,
        image: None,
    });
    put(tx, &[StoredAsset { asset, origin: NODE }]).await
}

fn left_out(problems: Vec<Problem>) -> Vec<Problem> {
    let mut gaps: Vec<Problem> =
        problems.into_iter().filter(|problem| problem.kind >= ProblemKind::Gap).collect();
    let more = gaps.len().saturating_sub(MAX_GAPS);
    if more > 0 {
        gaps.truncate(MAX_GAPS);
        gaps.push(Problem::gap("more-gaps", format!("{more} further gaps")));
    }
    gaps
}

#[test]
fn gaps_are_kept_and_bounded() {
    let gap = |number: usize| Problem::gap("g", number.to_string());
    let kept = left_out(vec![Problem::note("n", "not counted"), gap(0)]);
    assert_eq!(kept, [gap(0)]);
    let many = left_out((0..MAX_GAPS + 3).map(gap).collect());
    assert_eq!((many.len(), many[MAX_GAPS].message.as_str()), (MAX_GAPS + 1, "3 further gaps"));
}

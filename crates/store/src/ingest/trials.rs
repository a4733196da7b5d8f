//! What a policy set would do in the agent's cluster: the last trial stands.
use super::Writer;
use super::admission::bounded;
use crate::cell::clip;
use crate::db::Sql;
use crate::error::Result;
use crate::list;
use crate::put::put;
use crate::store::NewChange;
use seawall_model::Id;
use seawall_model::policy_set::{MAX_SAMPLES, StoredTrial, Trial, Tried};

/// Of one count: a wrong one must not overflow the sum over clusters, and no cluster has as many objects.
const MAX_COUNT: u64 = 1 << 40;
/// Problems in words: as many as a person reads.
const MAX_PROBLEMS: usize = 100;

/// Takes the place of the trial that is known, unless the set does not hold here, or that was of a newer text.
pub(super) async fn store(writer: &mut Writer<'_>, mut trial: Trial) -> Result<()> {
    let Some(id) = place_of(writer, &trial).await? else {
        writer.outdated += 1;
        return Ok(());
    };
    trial.time = bounded(trial.time, writer.tx.now);
    trial.samples.truncate(MAX_SAMPLES);
    trial.problems.truncate(MAX_PROBLEMS);
    for sample in &mut trial.samples {
        (sample.policy, sample.message) = (clip(&sample.policy), clip(&sample.message));
    }
    trial.problems = trial.problems.iter().map(|problem| clip(problem)).collect();
    for Tried { judged, refused, warned, undecided } in [&mut trial.objects, &mut trial.requests] {
        for count in [judged, refused, warned, undecided] {
            *count = (*count).min(MAX_COUNT);
        }
    }
    let stored = StoredTrial {
        id,
        scope: writer.agent.scope.clone(),
        cluster: writer.agent.cluster.clone(),
        trial,
    };
    put(writer.tx, std::slice::from_ref(&stored)).await?;
    let StoredTrial { id, scope, .. } = stored;
    let revision = u64::try_from(writer.tx.now).unwrap_or_default();
    let (namespace, image) = (None, None);
    writer.tx.changed(NewChange { noun: "trial", id, revision, scope, namespace, image });
    Ok(())
}

/// The id of the row that the trial belongs into; `None` where it belongs nowhere.
async fn place_of(writer: &mut Writer<'_>, trial: &Trial) -> Result<Option<Id>> {
    let scope = &writer.agent.scope;
    let sql = "SELECT scope, text_version FROM policy_sets WHERE id = $1";
    let set = writer.tx.row("look for a trial's policy set", Sql::new(sql).text(trial.set)).await?;
    let Some(set) = set else { return Ok(None) };
    let held = list::parsed("policy_set", &set.text(0))?;
    if !scope.is_within(&held) || trial.version > set.uint(1) {
        return Ok(None);
    }
    let sql = "SELECT id, text_version FROM trials WHERE policy_set = $1 AND scope = $2";
    let sql = Sql::new(sql).text(trial.set).text(scope);
    match writer.tx.row("look for the last trial", sql).await? {
        None => Ok(Some(writer.tx.new_id())),
        Some(known) if known.uint(1) > trial.version => Ok(None),
        Some(known) => Ok(Some(list::id(&known, 0)?)),
    }
}

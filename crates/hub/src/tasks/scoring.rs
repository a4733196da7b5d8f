//! Scores and recommendations follow the findings of their scope.
//!
//! A cluster's score is the formula over its findings and what its objects satisfy; above it stands the mean of the
//! clusters, weighted by counted resources.
use super::{Moved, RETRY_AFTER, locked};
use crate::api::extract::chain;
use crate::api::list::quoted;
use crate::app::App;
use crate::compliance::tally;
use crate::content::Outline;
use seawall_model::Problem;
use seawall_model::asset::Asset;
use seawall_model::exemption::Category;
use seawall_model::finding::{Finding, FindingKind, State};
use seawall_model::package::Ecosystem;
use seawall_model::problem::ProblemKind;
use seawall_model::recommendation::{Compliance, Score};
use seawall_model::scope::{Scope, ScopeKind, ScopePath};
use seawall_model::severity::Severity;
use seawall_posture::score::{self, Base, Outcome, Tally};
use seawall_store::{
    FindingChange, FindingState, Findings, Guidance, Image, Noun, Query, Reads, Recommendations,
    Scores, Verdict, Verdicts, Visible,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// Batches that arrive together are scored once; short, since a score has to follow within a second.
const COALESCE: Duration = Duration::from_millis(100);
/// Flaws of images and nodes count in this group. Source: posture.md, section 9.
const VULNERABILITIES: &str = "vulnerabilities";
const PAGE: u32 = 500;
/// Told where the hub started and nobody knows what moved meanwhile.
const STARTED: &str = "the hub started and counted again";
/// Told where no finding changed, but what counts did.
const RECOUNTED: &str = "what runs, or what of it could be judged, changed";

pub(super) async fn run(app: App) {
    let mut pending: BTreeMap<ScopePath, Moved> = BTreeMap::new();
    let mut uncaused = STARTED;
    match leaves(&app).await {
        Ok(scopes) => pending.extend(scopes.into_iter().map(|scope| (scope, Moved::default()))),
        Err(error) => tracing::warn!(error = chain(&error), "scopes not read"),
    }
    loop {
        while let Some((scope, moved)) = pending.pop_first() {
            if let Err(error) = rescore(&app, &scope, &moved, uncaused).await {
                tracing::warn!(error = chain(&error), %scope, "score not brought up to date");
                app.wakers.moved(scope, moved);
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
        uncaused = RECOUNTED;
        app.wakers.scores_changed.notified().await;
        tokio::time::sleep(COALESCE).await;
        pending = std::mem::take(&mut *locked(&app.wakers.scores));
    }
}

/// Scopes that findings are written at.
pub(super) async fn leaves(app: &App) -> seawall_store::Result<Vec<ScopePath>> {
    let leaf = |scope: &Scope| {
        matches!(scope.kind, ScopeKind::Cluster | ScopeKind::Registry | ScopeKind::Node)
    };
    let scopes = all::<Scope>(app, String::new()).await?;
    Ok(scopes.into_iter().filter(leaf).map(|scope| scope.path).collect())
}

async fn rescore(
    app: &App,
    scope: &ScopePath,
    moved: &Moved,
    uncaused: &str,
) -> seawall_store::Result<()> {
    refresh_recommendations(app, scope, moved).await?;
    let cause = cause(&moved.findings).unwrap_or_else(|| uncaused.to_owned());
    record(app, measure(app, scope).await?, &cause).await?;
    let mut above = scope.parent();
    while let Some(path) = above {
        record(app, joined(app, &path).await?, &cause).await?;
        above = path.parent();
    }
    Ok(())
}

async fn record(app: &App, score: Score, cause: &str) -> seawall_store::Result<()> {
    let scope = score.scope.clone();
    if let Some(delta) = app.store.record_score(&score, cause).await? {
        tracing::debug!(%scope, from = delta.from, to = delta.to, cause, "score moved");
    }
    Ok(())
}

fn cause(changes: &[FindingChange]) -> Option<String> {
    let changes: Vec<score::Change<'_>> = changes
        .iter()
        .map(|change| score::Change {
            title: &change.title,
            resource: &change.resource,
            from: change.before,
            to: change.after,
        })
        .collect();
    score::cause(&changes)
}

/// The score of the findings at `scope`, where findings are written.
async fn measure(app: &App, scope: &ScopePath) -> seawall_store::Result<Score> {
    let states = app.store.finding_states(&Visible::system(), scope, None).await?;
    let states: Vec<_> = states.into_iter().map(|state| (resource(&state), state)).collect();
    let verdicts = app.store.verdicts(scope).await?;
    let holders = holders(app, scope).await?;
    let outcomes = outcomes(app, &states, &holders).chain(satisfied(app, &verdicts));
    let scored = score::score(outcomes);
    let (risk, compliance) = by_control(app, scope).await?;
    Ok(Score {
        scope: scope.clone(),
        at: app.now(),
        secure: scored.secure,
        coverage: scored.coverage,
        decided: scored.decided,
        undecided: scored.undecided,
        groups: scored.groups,
        risk,
        compliance,
    })
}

/// The score of a scope above those that findings are written at: their resources together, and the mean of their secure
/// scores, weighted by counted resources.
async fn joined(app: &App, scope: &ScopePath) -> seawall_store::Result<Score> {
    let mut below = Vec::new();
    for leaf in leaves(app).await?.into_iter().filter(|leaf| leaf.is_within(scope)) {
        below.extend(app.store.score(&Visible::system(), &leaf).await?);
    }
    let counted = |score: &Score| -> u64 {
        score.groups.iter().map(|group| group.healthy + group.unhealthy).sum()
    };
    let secure = score::mean(below.iter().map(|score| (score.secure, counted(score))));
    let decided = below.iter().map(|score| score.decided).sum();
    let undecided = below.iter().map(|score| score.undecided).sum();
    let (risk, compliance) = by_control(app, scope).await?;
    Ok(Score {
        scope: scope.clone(),
        at: app.now(),
        secure,
        coverage: score::coverage(decided, undecided),
        decided,
        undecided,
        groups: score::joined(below.iter().flat_map(|score| &score.groups)),
        risk,
        compliance,
    })
}

/// Risk of all that `scope` was judged by, and how much of each framework is kept.
async fn by_control(
    app: &App,
    scope: &ScopePath,
) -> seawall_store::Result<(Option<f64>, Vec<Compliance>)> {
    let counted = app.store.tallies(&Visible::system(), scope).await?;
    if !counted.values().any(seawall_store::Tally::is_asked) {
        return Ok((None, Vec::new()));
    }
    let controls = app.content.controls().iter().filter(|control| !control.preview);
    let tallies: BTreeMap<&str, (Base, Tally)> = controls
        .map(|control| {
            let counted = counted.get(&control.id).cloned().unwrap_or_default();
            (control.id.as_str(), (control.base, tally(&counted)))
        })
        .collect();
    let of_framework = |outline: &Outline| {
        let members = outline.controls();
        let own: Vec<&(Base, Tally)> = members.iter().filter_map(|id| tallies.get(id)).collect();
        let count =
            |which: fn(&Tally) -> bool| own.iter().filter(|(_, tally)| which(tally)).count() as u64;
        Compliance {
            score: score::compliance(own.iter().map(|(_, tally)| tally)),
            risk: score::risk(own.iter().map(|(base, tally)| (*base, tally))),
            controls: own.len() as u64,
            failing: count(|tally| tally.failed > 0),
            undecided: count(|tally| tally.unknown > 0),
            framework: outline.id.clone(),
        }
    };
    let frameworks = app.content.outlines().iter().map(of_framework).collect();
    Ok((score::risk(tallies.values().map(|(base, tally)| (*base, tally))), frameworks))
}

/// What matching said of one image or node as a whole.
struct Holder {
    key: String,
    state: State,
}

impl Holder {
    /// One without a flaw has no finding to speak for it; one with a gap is unknown beside its flaws, never healthy.
    /// `problems` is `None` where nothing was matched.
    fn new(key: String, problems: Option<&[Problem]>) -> Self {
        let whole = problems
            .is_some_and(|problems| problems.iter().all(|problem| problem.kind < ProblemKind::Gap));
        Self { key, state: if whole { State::Healthy } else { State::Unknown } }
    }
}

/// Images and nodes whose packages are known.
async fn holders(app: &App, scope: &ScopePath) -> seawall_store::Result<Vec<Holder>> {
    let mut found = Vec::new();
    for image in all::<Image>(app, format!("scope:{}*", scope.as_str())).await? {
        let digest = image.digest.or(image.config_digest).or(image.index_digest);
        // The name belongs to the identity: one digest under two names is two images.
        let key = format!("{}@{}", image.name, digest.unwrap_or_else(|| image.name.clone()));
        let problems = image.counts.map(|_| image.coverage_problems);
        found.push(Holder::new(key, problems.as_deref()));
    }
    for node in all::<Asset>(app, format!("kind:Node scope:{}*", scope.as_str())).await? {
        let key = format!("{}@{}", node.name, node.uid);
        found.push(Holder::new(key, node.coverage_problems.as_deref()));
    }
    Ok(found)
}

async fn all<N: Noun>(app: &App, filter: String) -> seawall_store::Result<Vec<N>> {
    let mut query = Query { filter, limit: PAGE, ..Query::default() };
    let mut found = Vec::new();
    loop {
        let page = app.store.list::<N>(&Visible::system(), &query).await?;
        found.extend(page.items);
        let Some(next) = page.next else { return Ok(found) };
        query.after = Some(next);
    }
}

/// Who a finding speaks of: an object by its UID, an image by name and digest.
fn resource(state: &FindingState) -> String {
    match state.kind {
        FindingKind::Control => state.resource_key.clone(),
        FindingKind::Vulnerability => format!("{}@{}", state.resource, state.resource_key),
    }
}

fn outcomes<'a>(
    app: &'a App,
    states: &'a [(String, FindingState)],
    holders: &'a [Holder],
) -> impl Iterator<Item = Outcome<'a>> {
    let of_finding = |(resource, state): &'a (String, FindingState)| {
        let (group, preview) = match state.kind {
            FindingKind::Vulnerability => (VULNERABILITIES, false),
            FindingKind::Control => {
                // A control that this hub's content no longer has belongs to no group.
                let control = app.content.control(&state.rule)?;
                (control.score_group.as_str(), control.preview)
            }
        };
        Some(Outcome { group, resource, state: state.state, exemption: category(state), preview })
    };
    let of_holder = |holder: &'a Holder| Outcome {
        group: VULNERABILITIES,
        resource: &holder.key,
        state: holder.state,
        exemption: None,
        preview: false,
    };
    states.iter().filter_map(of_finding).chain(holders.iter().map(of_holder))
}

/// One outcome for each control that an object satisfies.
fn satisfied<'a>(app: &'a App, verdicts: &'a [Verdict]) -> impl Iterator<Item = Outcome<'a>> {
    let of_object = |verdict: &'a Verdict| {
        // Ids hold nothing that JSON escapes.
        let controls: Vec<&str> = serde_json::from_str(&verdict.healthy).unwrap_or_default();
        controls.into_iter().filter_map(|id| {
            let control = app.content.control(id)?;
            Some(Outcome {
                group: &control.score_group,
                resource: &verdict.resource_key,
                state: State::Healthy,
                exemption: None,
                preview: control.preview,
            })
        })
    };
    verdicts.iter().flat_map(of_object)
}

fn category(state: &FindingState) -> Option<Category> {
    match state.exemption.as_deref()? {
        "mitigated" => Some(Category::Mitigated),
        _ => Some(Category::RiskAccepted),
    }
}

/// Recommendations of the works that moved; of all works at the start, when nothing is told.
async fn refresh_recommendations(
    app: &App,
    scope: &ScopePath,
    moved: &Moved,
) -> seawall_store::Result<()> {
    let mut guidance: Vec<Guidance> = Vec::new();
    let kind = |work: &str| match work.starts_with("update:") {
        true => FindingKind::Vulnerability,
        false => FindingKind::Control,
    };
    let works: BTreeMap<&str, FindingKind> = moved.works().map(|work| (work, kind(work))).collect();
    if works.is_empty() {
        guidance.extend(app.content.controls().iter().map(crate::content::ControlEntry::guidance));
    }
    for (work, kind) in works {
        match kind {
            FindingKind::Control => {
                guidance
                    .extend(app.content.control(work).map(crate::content::ControlEntry::guidance));
            }
            FindingKind::Vulnerability => guidance.push(update_guidance(app, scope, work).await?),
        }
    }
    app.store.refresh_recommendations(scope, &guidance).await?;
    Ok(())
}

/// The words for updating one package; its severity is the worst flaw's.
async fn update_guidance(
    app: &App,
    scope: &ScopePath,
    work: &str,
) -> seawall_store::Result<Guidance> {
    let (ecosystem, package) =
        work.trim_start_matches("update:").split_once('/').unwrap_or(("", work));
    let mut named = Ecosystem::ALL.into_iter().map(Ecosystem::osv_name);
    let ecosystem = named.find(|name| name.eq_ignore_ascii_case(ecosystem)).unwrap_or("");
    let filter = format!(
        "kind:vulnerability state:unhealthy scope:{} package:{}",
        quoted(scope.as_str()),
        quoted(package)
    );
    let query = Query { filter, sort: Some("-severity".to_owned()), limit: 1, ..Query::default() };
    let worst = app.store.list::<Finding>(&Visible::system(), &query).await?.items.pop();
    Ok(Guidance {
        work: work.to_owned(),
        kind: FindingKind::Vulnerability,
        title: format!("Vulnerable {ecosystem} package {package}"),
        severity: worst.map_or(Severity::Unknown, |finding| finding.severity),
        description: format!(
            "Images or nodes hold versions of {package} with known flaws. Each finding says which, why it matched \
             and which version mends it."
        ),
        remediation: format!(
            "Update {package} to a version that mends its flaws and build the image anew."
        ),
        score_group: Some(VULNERABILITIES.to_owned()),
        frameworks: Vec::new(),
    })
}

#[test]
fn a_gap_is_never_healthy() {
    let state = |problems: Option<&[Problem]>| Holder::new(String::new(), problems).state;
    assert_eq!(state(Some(&[])), State::Healthy);
    assert_eq!(state(Some(&[Problem::note("n", "m")])), State::Healthy);
    assert_eq!(state(Some(&[Problem::gap("g", "m")])), State::Unknown);
    assert_eq!(state(None), State::Unknown);
}

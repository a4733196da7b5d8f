//! Room in what the agents of a cluster are told: policies of assignments and users' policy sets together.
use super::assignments::covered;
use super::problem::Refusal;
use crate::app::App;
use crate::content::Content;
use seawall_model::Id;
use seawall_model::admission::{AssignmentTarget, Narrowing, Policy, PolicyAction};
use seawall_model::scope::ScopePath;
use seawall_store::{Assignments, PolicySets};
use seawall_wire::{MAX_DESIRED_BYTES, MAX_DESIRED_POLICIES, MAX_DESIRED_SET_BYTES};
use serde_json::{Map, Value};

/// Policy sets at one place: an agent holds every request against all of them.
const MAX_SETS: usize = 100;
/// Bytes of a told set beside its text: id, a name of at most 100 characters, version, action and their keys.
const SET_FRAME_BYTES: usize = 640;
/// Bytes around all of them.
const FRAME_BYTES: usize = 64;

/// What one assignment or policy set adds to what the agents of a cluster are told, at most.
#[derive(Clone, Copy, Default)]
pub(crate) struct Share {
    policies: usize,
    sets: usize,
    /// Bytes of sets' texts.
    text: usize,
    /// Bytes as JSON.
    bytes: usize,
}

impl Share {
    /// Each control is told its own parameters: fewer than all of them.
    pub(crate) fn of_assignment(
        content: &Content,
        target: &AssignmentTarget,
        narrowing: &Narrowing,
        action: PolicyAction,
        params: &Map<String, Value>,
    ) -> Self {
        let controls = covered(content, target);
        let policy = Policy {
            assignment: Id::new(0, [0; 10]),
            control: String::new(),
            depth: u32::MAX,
            narrowing: narrowing.clone(),
            action,
            params: params.clone(),
        };
        // Its comma, and the control's name.
        let alike = json_bytes(&policy) + 1;
        let bytes = controls.iter().map(|control| alike + control.len()).sum();
        Self { policies: controls.len(), bytes, ..Self::default() }
    }

    /// Also of one that is off: it may be turned on.
    pub(crate) fn of_set(text: &str) -> Self {
        Self::of_sized_set(text.len(), json_bytes(&text))
    }

    fn of_sized_set(text: usize, quoted: usize) -> Self {
        Self { policies: 0, sets: 1, text, bytes: quoted + SET_FRAME_BYTES }
    }

    fn with(self, other: Self) -> Self {
        Self {
            policies: self.policies + other.policies,
            sets: self.sets + other.sets,
            text: self.text + other.text,
            bytes: self.bytes + other.bytes,
        }
    }

    /// Why it does not fit; `None` where it does.
    fn excess(self) -> Option<String> {
        let Self { policies, sets, text, bytes } = self;
        let bytes = bytes + FRAME_BYTES;
        if sets > MAX_SETS || text > MAX_DESIRED_SET_BYTES {
            return Some(format!(
                "{sets} policy sets of {text} bytes; at most {MAX_SETS} of {MAX_DESIRED_SET_BYTES} reach an agent: \
                 shorten or delete some"
            ));
        }
        (policies > MAX_DESIRED_POLICIES || bytes > MAX_DESIRED_BYTES).then(|| {
            format!(
                "{policies} policies and {sets} policy sets of {bytes} bytes; at most {MAX_DESIRED_POLICIES} policies and \
                 {MAX_DESIRED_BYTES} bytes reach an agent: assign fewer, narrow them less, or shorten the sets"
            )
        })
    }
}

/// What holds at `scope` or was made below, and where; without `except`.
pub(crate) async fn around(
    app: &App,
    scope: &ScopePath,
    except: Option<Id>,
) -> Result<Vec<(ScopePath, Share)>, Refusal> {
    let mut shares = Vec::new();
    let assignments = app.store.assignments_around(scope).await?;
    for one in assignments.into_iter().filter(|one| except != Some(one.id)) {
        let share = Share::of_assignment(
            &app.content,
            &one.target,
            &one.narrowing,
            one.action,
            &one.params,
        );
        shares.push((one.scope, share));
    }
    let bytes = |count: u64| usize::try_from(count).unwrap_or(usize::MAX / 2);
    let sets = app.store.policy_set_sizes(scope).await?;
    for set in sets.into_iter().filter(|set| except != Some(set.id)) {
        shares.push((set.scope, Share::of_sized_set(bytes(set.text), bytes(set.quoted))));
    }
    Ok(shares)
}

/// Refuses what would make any place at or below `scope` more than an agent is told; `pointer` is where.
pub(crate) fn check(
    pointer: &str,
    own: Share,
    scope: &ScopePath,
    others: &[(ScopePath, Share)],
) -> Result<(), Refusal> {
    // Where something is made most comes together: a cluster further down has no more than the place above it.
    let below = others.iter().map(|(place, _)| place).filter(|place| place.is_within(scope));
    for place in below.chain([scope]) {
        let here = others.iter().filter(|(above, _)| place.is_within(above));
        let all = here.fold(own, |all, (_, share)| all.with(*share));
        if let Some(excess) = all.excess() {
            let detail =
                format!("with what holds already, clusters at {place} would have {excess}");
            return Err(Refusal::invalid(pointer, detail));
        }
    }
    Ok(())
}

pub(crate) fn json_bytes(value: &impl serde::Serialize) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX / 2, |json| json.len())
}

#[test]
fn what_agents_are_told_is_bounded() {
    let set = |text: usize, quoted: usize| Share::of_sized_set(text, quoted);
    let policies = |policies: usize, bytes: usize| Share { policies, bytes, ..Share::default() };
    let many = (0..MAX_SETS).fold(Share::default(), |all, _| all.with(set(10, 12)));
    #[track_caller]
    fn check(share: Share, says: Option<&str>) {
        let excess = share.excess();
        assert_eq!(excess.is_none(), says.is_none(), "{excess:?}");
        assert!(excess.unwrap_or_default().contains(says.unwrap_or_default()));
    }
    check(many, None);
    check(many.with(set(10, 12)), Some("101 policy sets of 1010 bytes"));
    check(set(MAX_DESIRED_SET_BYTES, MAX_DESIRED_SET_BYTES + 90), None);
    check(set(MAX_DESIRED_SET_BYTES + 1, 0), Some("1 policy sets of 1048577 bytes"));
    check(policies(MAX_DESIRED_POLICIES, 9), None);
    check(policies(MAX_DESIRED_POLICIES + 1, 9), Some("2001 policies and 0"));
    // Each alone is fine.
    let half = MAX_DESIRED_BYTES / 2;
    check(policies(9, half), None);
    check(policies(9, half).with(set(half, half)), Some("9 policies and 1 policy sets of"));
}

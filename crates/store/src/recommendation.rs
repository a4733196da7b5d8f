//! Recommendations, counted from findings; only evidence resolves them. Scores and their moves.
use crate::error::Result;
use crate::visible::Visible;
use seawall_model::finding::FindingKind;
use seawall_model::recommendation::{Recommendation, Score, ScoreDelta};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis, Severity};

/// The words of a recommendation; the numbers come from the findings.
#[derive(Clone, Debug, PartialEq)]
pub struct Guidance {
    /// The control id, or `update:<ecosystem>/<package>`: the `work` of its findings.
    pub work: String,
    pub kind: FindingKind,
    pub title: String,
    pub severity: Severity,
    pub description: String,
    pub remediation: String,
    pub score_group: Option<String>,
    pub frameworks: Vec<String>,
}

/// `None` leaves a value; `Some(None)` clears it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assign {
    pub owner: Option<Option<String>>,
    pub due: Option<Option<Millis>>,
}

pub trait Recommendations {
    /// Counts the findings of each work at exactly `scope` and moves the status by that evidence; a work that never
    /// had an unhealthy resource gets none. Returns those that changed.
    async fn refresh_recommendations(
        &self,
        scope: &ScopePath,
        guidance: &[Guidance],
    ) -> Result<Vec<Recommendation>>;
    /// `None` when it is unknown or not visible; `Error::Stale` where `expected` is another revision.
    async fn assign_recommendation(
        &self,
        visible: &Visible,
        id: Id,
        assign: &Assign,
        expected: Option<u64>,
    ) -> Result<Option<Recommendation>>;
}

pub trait Scores {
    /// Stores the score of its scope; a move of `secure` is kept with its cause and returned.
    async fn record_score(&self, score: &Score, cause: &str) -> Result<Option<ScoreDelta>>;
    /// `None` before the first, or where no whole grant covers the scope.
    async fn score(&self, visible: &Visible, scope: &ScopePath) -> Result<Option<Score>>;
}

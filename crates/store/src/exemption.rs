//! Exemptions: asked for, granted, expired, and what they match.
use crate::error::Result;
use crate::visible::Visible;
use seawall_model::exemption::{
    Category, Exemption, ExemptionSource, ExemptionState, ExemptionTarget,
};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};

#[derive(Clone, Debug)]
pub struct NewExemption {
    pub scope: ScopePath,
    pub target: ExemptionTarget,
    pub category: Category,
    pub reason: String,
    pub owner: String,
    /// `Requested`, or `Granted` where the caller may grant.
    pub state: ExemptionState,
    pub expires: Millis,
    pub source: ExemptionSource,
}

pub trait Exemptions {
    async fn create_exemption(&self, new: &NewExemption) -> Result<Exemption>;
    /// requested → granted | denied; granted → revoked. Others are `Error::Transition`.
    async fn decide_exemption(
        &self,
        visible: &Visible,
        id: Id,
        state: ExemptionState,
        expected: Option<u64>,
    ) -> Result<Option<Exemption>>;
    /// Granted, not yet expired, and given at `scope` or above.
    async fn exemptions_in_force(&self, scope: &ScopePath) -> Result<Vec<Exemption>>;
    /// Ends those whose time is over; returns them so that their findings are judged again.
    async fn expire_exemptions(&self) -> Result<Vec<Exemption>>;
    /// Counts the findings that name each granted exemption; returns those whose count moved.
    async fn recount_exemptions(&self) -> Result<Vec<Exemption>>;
}

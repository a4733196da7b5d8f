//! Who is calling, and what they may do: the one place that turns credentials into [`Visible`].
//!
//! ```text
//! cookie | bearer token ─► Caller ─ Permissions ─► 401 | 403 | Visible of the action ─► handler
//! ```
//!
//! Invariant: no handler behind [`Access::May`] runs without a role that allows its action somewhere, and what it
//! reads or writes is limited to the scopes where a role allows that action.

mod action;
pub(crate) mod guard;
pub(crate) mod password;
pub(crate) mod session;
pub(crate) mod throttle;

pub use action::{Action, PERMISSIONS, Permissions};

use crate::api::problem::Refusal;
use seawall_model::Id;
use seawall_model::access::RoleAssignment;
use seawall_model::scope::ScopePath;
use seawall_store::{Claimed, Visible};
use std::sync::Arc;

/// What a route demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nobody has to be known.
    Public,
    /// Any user or token, also a user who must change the password first.
    SignedIn,
    /// A role that allows the action.
    May(Action),
}

/// Who the credentials belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    User {
        id: Id,
        name: String,
        must_change_password: bool,
        /// Digest of the session cookie.
        session: String,
    },
    Token {
        id: Id,
        name: String,
    },
}

/// The authenticated sender of a request.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) who: Who,
    pub(crate) assignments: Arc<[RoleAssignment]>,
    permissions: Permissions,
    /// What the route does, once the guard has let it through.
    action: Option<Action>,
    /// The idempotency key that the request holds.
    claimed: Option<Claimed>,
}

impl Caller {
    pub(crate) fn new(
        who: Who,
        assignments: Vec<RoleAssignment>,
        permissions: Permissions,
    ) -> Self {
        Self { who, assignments: assignments.into(), permissions, action: None, claimed: None }
    }

    /// `user:alice` or `token:ci`, as the audit log and dismissals name them.
    pub(crate) fn actor(&self) -> String {
        match &self.who {
            Who::User { name, .. } => format!("user:{name}"),
            Who::Token { name, .. } => format!("token:{name}"),
        }
    }

    /// The key of limits and idempotency.
    pub(crate) fn key(&self) -> String {
        match &self.who {
            Who::User { id, .. } => format!("user:{id}"),
            Who::Token { id, .. } => format!("token:{id}"),
        }
    }

    pub(crate) fn actions(&self) -> Vec<Action> {
        self.permissions.actions(self.assignments.iter().map(|assignment| assignment.role))
    }

    /// Where the caller may do `action`.
    pub(crate) fn visible(&self, action: Action) -> Visible {
        let holds = |assignment: &&RoleAssignment| self.permissions.allows(assignment.role, action);
        let assignments: Vec<_> = self.assignments.iter().filter(holds).cloned().collect();
        Visible::of(&assignments)
    }

    pub(crate) fn doing(self, action: Action) -> Self {
        Self { action: Some(action), ..self }
    }

    pub(crate) fn holding(self, claimed: Claimed) -> Self {
        Self { claimed: Some(claimed), ..self }
    }

    pub(crate) fn claimed(&self) -> Option<&Claimed> {
        self.claimed.as_ref()
    }

    /// Where the caller may do what the route does; nowhere on a route without an action.
    pub(crate) fn visible_here(&self) -> Visible {
        self.action.map_or_else(|| Visible::of(&[]), |action| self.visible(action))
    }

    /// What the caller may see, whatever the route does.
    pub(crate) fn visible_to_view(&self) -> Visible {
        self.visible(Action::View)
    }

    /// Whether `action` is allowed on the whole of `scope`: for what is made there, and for what belongs to all of it.
    pub(crate) fn may_at(&self, action: Action, scope: &ScopePath) -> Result<(), Refusal> {
        if self.visible(action).covers(scope) {
            return Ok(());
        }
        if self.visible(Action::View).covers(scope) {
            let detail = format!("your roles do not allow `{}` at {scope}", action.as_str());
            return Err(Refusal::forbidden(detail));
        }
        Err(Refusal::not_found("scope"))
    }

    /// For nouns of the whole hub, such as users and the audit log.
    pub(crate) fn may_at_root(&self, action: Action) -> Result<(), Refusal> {
        if self.visible(action).covers(&ScopePath::root()) {
            return Ok(());
        }
        let detail =
            format!("this needs a role with `{}` for the whole organisation", action.as_str());
        Err(Refusal::forbidden(detail))
    }
}

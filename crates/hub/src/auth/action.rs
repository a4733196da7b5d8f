//! What each role may do: one constant table. Routes name an action, the table decides; the UI and the endpoint
//! tests read it.
use seawall_model::access::Role;

/// What a request does, as far as permission is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    View,
    ViewAudit,
    AlertState,
    Assign,
    RequestExemption,
    EditPolicy,
    GrantExemption,
    ManageSinks,
    Plans,
    ApplyFix,
    Respond,
    RevokeAgent,
    Enrol,
    Users,
}

impl Action {
    pub const ALL: [Self; 14] = [
        Self::View,
        Self::ViewAudit,
        Self::AlertState,
        Self::Assign,
        Self::RequestExemption,
        Self::EditPolicy,
        Self::GrantExemption,
        Self::ManageSinks,
        Self::Plans,
        Self::ApplyFix,
        Self::Respond,
        Self::RevokeAgent,
        Self::Enrol,
        Self::Users,
    ];

    /// The word in `Session.actions`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::ViewAudit => "view_audit",
            Self::AlertState => "alert_state",
            Self::Assign => "assign",
            Self::RequestExemption => "request_exemption",
            Self::EditPolicy => "edit_policy",
            Self::GrantExemption => "grant_exemption",
            Self::ManageSinks => "manage_sinks",
            Self::Plans => "plans",
            Self::ApplyFix => "apply_fix",
            Self::Respond => "respond",
            Self::RevokeAgent => "revoke_agent",
            Self::Enrol => "enrol",
            Self::Users => "users",
        }
    }
}

/// Who may do what. A value, so that a test can prove that every cell matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions([[bool; Role::ALL.len()]; Action::ALL.len()]);

/// Rows as [`Action::ALL`], columns Security Reader, Security Admin, Contributor, Owner.
pub const PERMISSIONS: Permissions = {
    const X: bool = true;
    const O: bool = false;
    Permissions([
        [X, X, X, X], // view
        [X, X, O, X], // view_audit
        [O, X, X, X], // alert_state
        [O, X, X, X], // assign
        [O, X, X, X], // request_exemption
        [O, X, O, X], // edit_policy
        [O, X, O, X], // grant_exemption
        [O, X, O, X], // manage_sinks
        [O, X, X, X], // plans
        [O, O, X, X], // apply_fix
        [O, X, O, X], // respond
        [O, X, O, X], // revoke_agent
        [O, O, O, X], // enrol
        [O, O, O, X], // users
    ])
};

impl Permissions {
    pub fn allows(&self, role: Role, action: Action) -> bool {
        self.0[action as usize][role as usize]
    }

    /// The same table with one cell turned round.
    pub fn flipped(mut self, role: Role, action: Action) -> Self {
        let cell = &mut self.0[action as usize][role as usize];
        *cell = !*cell;
        self
    }

    /// What at least one of `roles` may do, in table order.
    pub fn actions(&self, roles: impl IntoIterator<Item = Role> + Clone) -> Vec<Action> {
        let held =
            |action: &Action| roles.clone().into_iter().any(|role| self.allows(role, *action));
        Action::ALL.into_iter().filter(held).collect()
    }
}

#[test]
fn rows_and_columns_are_in_the_order_of_their_enums() {
    for (position, action) in Action::ALL.into_iter().enumerate() {
        assert_eq!(action as usize, position, "{action:?}");
    }
    for (position, role) in Role::ALL.into_iter().enumerate() {
        assert_eq!(role as usize, position, "{role}");
    }
    assert!(!PERMISSIONS.allows(Role::Contributor, Action::ViewAudit));
    assert!(
        PERMISSIONS
            .flipped(Role::Contributor, Action::ViewAudit)
            .allows(Role::Contributor, Action::ViewAudit)
    );
}

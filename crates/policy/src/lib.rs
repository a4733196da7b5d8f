//! Users' own policies, unmodified: ValidatingAdmissionPolicies and Gatekeeper's templates and constraints.
pub mod gatekeeper;
pub mod suite;
pub mod vap;

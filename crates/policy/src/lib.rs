//! Users' own policies, unmodified: ValidatingAdmissionPolicies and Gatekeeper's templates and constraints.
pub mod vap;

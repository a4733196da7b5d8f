//! Judges Kubernetes objects: values in, findings and problems out.
//!
//! ```text
//! content ─load─► Catalogue ─select─► Selection ─┐
//! manifests, watch ─► object ─View─► variables ──┴─evaluate─► ControlFinding, fix ─► score ─► report
//! ```
//!
//! Invariant: a question without an answer is `unknown`, never a pass. A fix is offered only after it has healed the
//! object in memory. Nothing here does IO, asks a clock or starts a thread.
mod across;
pub mod admission;
mod assigned;
mod catalogue;
mod cel;
pub mod cloud;
mod control;
mod evaluate;
pub mod exemption;
pub mod export;
pub mod exposure;
pub mod facts;
mod fix;
mod framework;
pub mod glob;
pub mod live;
pub mod manifests;
mod mask;
pub mod native;
pub mod objects;
pub mod owners;
pub mod patch;
mod path;
pub mod pointer;
pub mod policies;
mod quantity;
pub mod rbac;
mod refused;
pub mod report;
pub mod scope;
pub mod score;
pub mod selector;
mod suite;
pub mod text;
pub mod workload;
pub mod world;
pub mod yaml;

pub use assigned::{Assigned, Reassigned};
pub use catalogue::{Catalogue, Request, Selection};
pub use cel::types::{Known, kinds};
pub use control::{Constraints, Control, Facts, Lifecycle, Matches, Membership, ResourceRule};
pub use evaluate::Judgement;
pub use framework::{Framework, minor};
pub use suite::{Case, CaseResult, cases, groups, test};

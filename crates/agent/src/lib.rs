//! The cluster agent: watches a cluster's objects, judges what changed, and hands on one record per object.
//!
//! ```text
//! cluster ─ObjectEvent─► Assessor (store, owners, controls) ─Record─► sink, at most 250 ms later
//! API server ─review─► Webhook ─Record─► sink, before the answer
//! hub ─Desired─► Assignments ─► Assessor, which judges by them what they concern
//! hub ─Desired─► NativePolicies ─► policies that the API server judges by itself
//! ```
//!
//! Invariant: an object is told again only when its verdict changed, and after the first full listing a
//! [`seawall_model::record::Record::Sync`] lets the hub forget what is gone. While a kind may not be read no such
//! record is sent, since what is not seen is not gone.
mod assess;
mod assignments;
mod desired;
mod following;
pub mod health;
mod keep;
mod known;
mod native;
mod policy_sets;
mod recent;
mod replicas;
mod run;
mod sight;
mod trial;
pub mod webhook;

pub use assignments::Assignments;
pub use native::{NativePolicies, NativeStatus};
pub use policy_sets::PolicySets;
pub use run::{Agent, ClusterInfo, Config, Status, content};
pub use seawall_cluster::{Connection, Issuer, IssuerError, Target, issuer};

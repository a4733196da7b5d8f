//! Images and root file systems → inventories → vulnerability reports. Shared by CLI, sensor and hub.
//!
//! ```text
//! image reference ─oci──► layers ─extract─► LayerFacts ─┐ (kept by diffID in FactsCache)
//! directory ───────oci──► tree ───extract─► LayerFacts ─┴─merge─┐
//! CycloneDX, SPDX, our own SBOM ─sbom───────────────────────────┴─► Inventory ─vuln─► Report ─exempt─► forms, exit code
//! ```
//!
//! Everything blocks: call it from a blocking thread.

mod exempt;
mod exit;
mod facts_cache;
mod formats;
mod image;
mod mounts;
mod narrow;
mod report;
mod rootfs;
pub mod sbom;
mod source;
mod tree_kind;
mod visitor;

pub use exempt::{AttachedError, AttachedVex, Exemptions, Invalid, attached_vex};
pub use exit::{FailOn, exit_code};
pub use facts_cache::FactsCache;
pub use formats::{Form, render, render_json, render_table};
pub use image::{ImageOptions, ScanError, diff_ids, opens_socket, scan_image};
pub use narrow::{BaseImage, index_age, mark_base, subscribe};
pub use report::{Counts, Display, Report, ReportTarget};
pub use rootfs::{RootfsOptions, scan_rootfs};
pub use seawall_oci::containerd::{Listed, list as list_containerd_images};
pub use seawall_oci::registry;
pub use seawall_oci::{Containerd, Options as OpenOptions, Platform};
pub use seawall_posture::text::{escape, escape_json};
pub use source::scan_source;
pub use tree_kind::TreeKind;

use seawall_model::Problem;

/// Worst first, then by code and place: the same input gives the same order whatever the threads did.
pub(crate) fn sort_problems(problems: &mut Vec<Problem>) {
    problems.sort_by_cached_key(|problem| {
        let Problem { kind, code, message, file, line, item, .. } = problem.clone();
        (std::cmp::Reverse(kind), code, file, line, item, message)
    });
    problems.dedup();
}

//! Hostile bytes for everything that reads bytes.
//!
//! ```text
//! seeds ─Mutator─► bytes ─► Target::run      `cargo test -p seawall-fuzz`: a fixed number of mutations, no clock
//! seeds ─libFuzzer, guided by coverage─► bytes ─► Target::run      `make fuzz [TARGET=name] [SECONDS=60]`
//! ```
//!
//! A target panics where the code under it does, or where a property that the code promises does not hold. Bytes that
//! once did either stay among the seeds.
mod mutate;
mod targets;

pub use mutate::Mutator;

/// One reader of bytes.
pub struct Target {
    /// Kebab-case, crate first.
    pub name: &'static str,
    /// Reads any bytes; panics only at a defect.
    pub run: fn(&[u8]),
    /// Inputs to start from: each shape that the reader knows, and past defects.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Mutations in the short form, sized to half a second unoptimised.
    pub rounds: u32,
}

/// Every target.
pub static TARGETS: &[Target] = &[
    targets::rego_module::TARGET,
    targets::rego_regex::TARGET,
    targets::rules_condition::TARGET,
    targets::rules_yaml::TARGET,
    targets::rules_event::TARGET,
    targets::rules_audit::TARGET,
    targets::rules_mask::TARGET,
    targets::cel_expression::TARGET,
    targets::cel_function::TARGET,
    targets::cel_regex::TARGET,
    targets::extract_dpkg::TARGET,
    targets::extract_dpkg_files::TARGET,
    targets::extract_apk::TARGET,
    targets::extract_chisel::TARGET,
    targets::extract_rpm_bdb::TARGET,
    targets::extract_rpm_ndb::TARGET,
    targets::extract_rpm_sqlite::TARGET,
    targets::extract_rpm_header::TARGET,
    targets::extract_repositories::TARGET,
    targets::extract_os_release::TARGET,
    targets::extract_python_dist_info::TARGET,
    targets::extract_python_egg_info::TARGET,
    targets::extract_go_buildinfo::TARGET,
    targets::extract_jar::TARGET,
    targets::extract_installed::TARGET,
    targets::extract_lockfiles::TARGET,
    targets::extract_merge::TARGET,
    targets::extract_facts::TARGET,
    targets::oci_tar::TARGET,
    targets::oci_layer::TARGET,
    targets::oci_documents::TARGET,
    targets::oci_registry::TARGET,
    targets::vuln_order::TARGET,
    targets::vuln_segment::TARGET,
    targets::vuln_kev::TARGET,
    targets::vuln_parts::TARGET,
    targets::feeds_osv::TARGET,
    targets::feeds_csaf::TARGET,
    targets::feeds_oval::TARGET,
    targets::feeds_kev::TARGET,
    targets::feeds_json::TARGET,
    targets::policy_template::TARGET,
    targets::policy_suite::TARGET,
    targets::posture_yaml::TARGET,
    targets::posture_machines::TARGET,
    targets::posture_manifests::TARGET,
    targets::posture_admission::TARGET,
    targets::posture_control::TARGET,
    targets::posture_exemption::TARGET,
    targets::posture_facts::TARGET,
    targets::posture_framework::TARGET,
    targets::posture_patch::TARGET,
    targets::posture_objects::TARGET,
    targets::scan_sbom::TARGET,
    targets::scan_vex::TARGET,
    targets::store_filter::TARGET,
    targets::wire_record::TARGET,
    targets::uplink_spool::TARGET,
];

/// The target of that name.
pub fn by_name(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

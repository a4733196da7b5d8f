//! Language ecosystems: what is installed, by the evidence that installers and linkers leave.
pub(crate) mod go_buildinfo;
pub(crate) mod python_dist_info;
pub(crate) mod python_egg_info;

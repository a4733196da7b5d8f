//! Kubernetes' function libraries, one file each.
use crate::functions::Library;

pub(crate) static LIBRARIES: &[&Library] = &[];

//! The kernel side: loads the programs of `bpf/`, attaches them, reads their rings and counters.
pub(crate) mod decode;
pub(crate) mod drops;
pub(crate) mod load;

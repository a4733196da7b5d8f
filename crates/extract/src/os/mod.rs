//! Operating systems: who it is, what its package manager installed, and from where.
pub(crate) mod apk;
pub(crate) mod chisel;
pub(crate) mod content_sets;
pub(crate) mod dnf_history;
pub(crate) mod dpkg;
pub(crate) mod os_release;
pub(crate) mod rpm;
mod sqlite;
pub(crate) mod ubuntu_pro;
pub(crate) mod unread;

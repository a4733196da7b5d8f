//! Operating systems: who it is, and what its package manager installed.
pub(crate) mod dpkg;
pub(crate) mod os_release;
pub(crate) mod unread;

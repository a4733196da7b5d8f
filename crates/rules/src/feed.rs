//! The event sources that are collected. A rule is of one, and so are most fields.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feed {
    /// What the sensor makes.
    Syscall,
    /// Records of a Kubernetes audit log.
    Audit,
}

impl Feed {
    pub(crate) const ALL: [Self; 2] = [Self::Syscall, Self::Audit];

    /// As a rule's `source` names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Syscall => "syscall",
            Self::Audit => "k8s_audit",
        }
    }

    /// `None` for a source that is not collected.
    pub fn of(source: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|feed| feed.as_str() == source)
    }
}

//! One severity for findings, alerts and advisories.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How bad. `Unknown` is a state of its own: it meets no level, yet is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Unknown,
    Info,
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    /// Worst first, as people read them.
    pub const ALL: [Self; 6] =
        [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info, Self::Unknown];

    /// Whether a finding of this severity is at or over `level`. `Unknown` meets only itself.
    pub fn meets(self, level: Self) -> bool {
        match (self, level) {
            (Self::Unknown, level) => level == Self::Unknown,
            (_, Self::Unknown) => true,
            (severity, level) => severity >= level,
        }
    }

    /// The lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no severity.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no severity: expected critical, high, medium, low, info or unknown")]
pub struct InvalidSeverity(String);

impl FromStr for Severity {
    type Err = InvalidSeverity;

    /// Case-blind; `negligible`, `informational` and `none` are `info`, `moderate` is `medium`, `important` is `high`.
    fn from_str(text: &str) -> Result<Self, InvalidSeverity> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "critical" => Self::Critical,
            "high" | "important" => Self::High,
            "medium" | "moderate" => Self::Medium,
            "low" => Self::Low,
            "info" | "negligible" | "informational" | "none" => Self::Info,
            "unknown" => Self::Unknown,
            _ => return Err(InvalidSeverity(text.to_owned())),
        })
    }
}

#[test]
fn unknown_meets_no_level() {
    assert!(!Severity::Unknown.meets(Severity::Low));
    assert!(Severity::Unknown.meets(Severity::Unknown));
    assert!(Severity::High.meets(Severity::Medium));
    assert!(Severity::Low.meets(Severity::Unknown), "`--fail-on unknown` fails on any finding");
    assert!(!Severity::Low.meets(Severity::Medium));
}

//! MITRE ATT&CK names. Which techniques exist is data (`content/attack.yaml`), their shape is here.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The fourteen Enterprise tactics of ATT&CK v18, in kill-chain order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Tactic {
    Reconnaissance,
    ResourceDevelopment,
    InitialAccess,
    Execution,
    Persistence,
    PrivilegeEscalation,
    DefenseEvasion,
    CredentialAccess,
    Discovery,
    LateralMovement,
    Collection,
    CommandAndControl,
    Exfiltration,
    Impact,
}

impl Tactic {
    pub const ALL: [Self; 14] = [
        Self::Reconnaissance,
        Self::ResourceDevelopment,
        Self::InitialAccess,
        Self::Execution,
        Self::Persistence,
        Self::PrivilegeEscalation,
        Self::DefenseEvasion,
        Self::CredentialAccess,
        Self::Discovery,
        Self::LateralMovement,
        Self::Collection,
        Self::CommandAndControl,
        Self::Exfiltration,
        Self::Impact,
    ];

    /// The kebab-case name, which is also the folder of its detections.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reconnaissance => "reconnaissance",
            Self::ResourceDevelopment => "resource-development",
            Self::InitialAccess => "initial-access",
            Self::Execution => "execution",
            Self::Persistence => "persistence",
            Self::PrivilegeEscalation => "privilege-escalation",
            Self::DefenseEvasion => "defense-evasion",
            Self::CredentialAccess => "credential-access",
            Self::Discovery => "discovery",
            Self::LateralMovement => "lateral-movement",
            Self::Collection => "collection",
            Self::CommandAndControl => "command-and-control",
            Self::Exfiltration => "exfiltration",
            Self::Impact => "impact",
        }
    }
}

impl fmt::Display for Tactic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The text names no tactic.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no ATT&CK tactic: expected a name such as credential-access")]
pub struct InvalidTactic(String);

impl FromStr for Tactic {
    type Err = InvalidTactic;

    fn from_str(text: &str) -> Result<Self, InvalidTactic> {
        Self::ALL
            .into_iter()
            .find(|tactic| tactic.as_str() == text)
            .ok_or_else(|| InvalidTactic(text.to_owned()))
    }
}

/// `T1059` or `T1059.004`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String))]
#[serde(try_from = "String", into = "String")]
pub struct Technique(String);

impl Technique {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The text has not the shape of a technique id.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no ATT&CK technique: expected T1059 or T1059.004")]
pub struct InvalidTechnique(String);

impl FromStr for Technique {
    type Err = InvalidTechnique;

    fn from_str(text: &str) -> Result<Self, InvalidTechnique> {
        let digits = |s: &str, n: usize| s.len() == n && s.bytes().all(|b| b.is_ascii_digit());
        let fits = text.strip_prefix('T').is_some_and(|rest| match rest.split_once('.') {
            Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
            None => digits(rest, 4),
        });
        if fits { Ok(Self(text.to_owned())) } else { Err(InvalidTechnique(text.to_owned())) }
    }
}

impl TryFrom<String> for Technique {
    type Error = InvalidTechnique;

    fn try_from(text: String) -> Result<Self, InvalidTechnique> {
        text.parse()
    }
}

impl From<Technique> for String {
    fn from(technique: Technique) -> Self {
        technique.0
    }
}

#[test]
fn technique_ids_have_one_shape() {
    for (text, fits) in
        [("T1059", true), ("T1059.004", true), ("T159", false), ("1059", false), ("T1059.4", false)]
    {
        assert_eq!(text.parse::<Technique>().is_ok(), fits, "{text}");
    }
}

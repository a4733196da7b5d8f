//! Identifiers. Records carry UUIDv7 so that inserts are ordered by time.
use crate::time::Millis;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A UUIDv7 in lower-case hyphenated text; its order is the order of creation. Source: RFC 9562, 5.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "schema", schema(value_type = String))]
#[serde(transparent)]
pub struct Id(uuid::Uuid);

impl Id {
    /// `now` is epoch milliseconds; `random` fills the 74 random bits.
    pub fn new(now: Millis, random: [u8; 10]) -> Self {
        let millis = u64::try_from(now).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// Epoch milliseconds at which the id was made.
    pub fn millis(self) -> Millis {
        let bytes = self.0.as_bytes();
        bytes[..6].iter().fold(0, |millis, byte| millis << 8 | Millis::from(*byte))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The text is no UUID.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an id: expected a UUID such as 0192d3a0-7c2e-7c4b-9d3e-1f2a3b4c5d6e")]
pub struct InvalidId(String);

impl FromStr for Id {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        uuid::Uuid::parse_str(text).map(Self).map_err(|_| InvalidId(text.to_owned()))
    }
}

#[test]
fn ids_order_by_time_and_keep_it() {
    let early = Id::new(1_795_473_451_540, [255; 10]);
    let late = Id::new(1_795_473_451_541, [0; 10]);
    assert!(early < late);
    assert_eq!(early.millis(), 1_795_473_451_540);
    assert_eq!(early.to_string().parse::<Id>().unwrap(), early);
    assert!("x".parse::<Id>().is_err());
}

//! What proves who asks. No form shows a secret.
use serde::Deserialize;
use std::fmt;

/// A secret; its `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self(text.into())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// User name and password, or what a registry takes for one.
    Basic { user: String, password: Secret },
    /// An OAuth2 refresh token, which buys access tokens at the registry's token server.
    Identity(Secret),
    /// An access token, sent as it is.
    Bearer(Secret),
}

#[test]
fn nothing_is_shown() {
    let given = Credential::Basic { user: "ann".into(), password: "hunter2".into() };
    assert_eq!(format!("{given:?}"), r#"Basic { user: "ann", password: Secret(…) }"#);
}

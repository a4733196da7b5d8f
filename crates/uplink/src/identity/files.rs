//! The layout before identities had one file: one for each part. It is read until the next renewal, never written.
use super::{Identity, IdentityError, read};
use std::io;
use std::path::Path;

#[derive(serde::Deserialize)]
struct Named {
    agent_id: String,
    hub: String,
}

const NAME_FILE: &str = "agent.json";
const KEY_FILE: &str = "agent.key";
const CERTIFICATE_FILE: &str = "agent.crt";
const CA_FILE: &str = "ca.crt";

/// The name was written last: without it there is no identity.
pub(super) fn load(dir: &Path) -> Result<Option<Identity>, IdentityError> {
    let path = dir.join(NAME_FILE);
    let Some(text) = read(&path)? else { return Ok(None) };
    let named: Named = serde_json::from_str(&text)
        .map_err(|_| IdentityError::Parse { path, what: "agent name" })?;
    let part = |name: &str| {
        let path = dir.join(name);
        let missing = |path| IdentityError::Read { path, source: io::ErrorKind::NotFound.into() };
        read(&path)?.ok_or_else(|| missing(path))
    };
    Ok(Some(Identity {
        agent_id: named.agent_id,
        hub: named.hub,
        key_pem: part(KEY_FILE)?,
        certificate_pem: part(CERTIFICATE_FILE)?,
        ca_pem: part(CA_FILE)?,
        cluster: None,
        joined_by: Vec::new(),
    }))
}

/// The name first: what is left of the others is then no identity.
pub(super) fn remove(dir: &Path) -> Result<(), IdentityError> {
    for name in [NAME_FILE, KEY_FILE, CERTIFICATE_FILE, CA_FILE] {
        let path = dir.join(name);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(IdentityError::Write { path, source });
            }
            _ => {}
        }
    }
    Ok(())
}

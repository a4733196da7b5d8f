//! `docker-credential-NAME get`. Source: docker-credential-helpers, "Development".
use super::parse;
use crate::registry::credential::{Credential, Secret};
use crate::registry::options::Environment;
use serde::Deserialize;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

/// Until a helper is ended: some ask a cloud, none should ask a person.
const TIME: Duration = Duration::from_secs(30);
/// Bytes of its answer; tokens of clouds take some 3 KiB.
const OUTPUT: u64 = 64 * 1024;
/// The user name by which a helper says that the secret is an identity token.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// `None` where the helper has nothing for the server.
pub(super) async fn get(
    name: &str,
    server: &str,
    environment: &Environment,
) -> Result<Option<Credential>, String> {
    let program = format!("docker-credential-{}", name.escape_debug());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if !name.bytes().all(plain) {
        return Err(format!("`{program}` is no name of a credential helper"));
    }
    let Some(path) = on_path(&program, environment) else {
        return Err(format!("the credential helper {program} is not on the PATH"));
    };
    let ran = tokio::time::timeout(TIME, run(path, server, environment)).await;
    let ran = ran.map_err(|_| format!("{program} gave no answer in {} s", TIME.as_secs()))?;
    let (success, output) = ran.map_err(|error| format!("{program} cannot be run: {error}"))?;
    if output.len() as u64 > OUTPUT {
        return Err(format!("{program} wrote over {OUTPUT} bytes"));
    }
    if !success {
        let said = String::from_utf8_lossy(&output);
        // Source: docker-credential-helpers `credentials/error.go`.
        return match said.contains("credentials not found") {
            true => Ok(None),
            false => Err(format!("{program} failed: {}", crate::registry::error::said(&output))),
        };
    }
    let answer: Answer = parse(&output).map_err(|reason| format!("{program} answered {reason}"))?;
    let (user, secret) = (answer.username, Secret::from(answer.secret));
    Ok(match (user.as_str(), secret.expose()) {
        (_, "") => None,
        (TOKEN, _) => Some(Credential::Identity(secret)),
        _ => Some(Credential::Basic { user, password: secret }),
    })
}

/// Whether it succeeded, and one byte over the limit of what it wrote at most.
async fn run(
    path: PathBuf,
    server: &str,
    environment: &Environment,
) -> std::io::Result<(bool, Vec<u8>)> {
    let mut command = Command::new(path);
    if let Environment::Given(variables) = environment {
        command.env_clear();
        command.envs(variables.iter().map(|(name, value)| (name, value.expose())));
    }
    // What it says aside may hold anything, so nobody reads it.
    command.arg("get").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.kill_on_drop(true).spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A helper that does not read has what it needs.
        let _ = input.write_all(server.as_bytes()).await;
    }
    let output = match child.stdout.take() {
        Some(output) => limited(output).await?,
        None => Vec::new(),
    };
    Ok((child.wait().await?.success(), output))
}

async fn limited(output: impl AsyncRead + Unpin) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    output.take(OUTPUT + 1).read_to_end(&mut bytes).await?;
    Ok(bytes)
}

fn on_path(program: &str, environment: &Environment) -> Option<PathBuf> {
    let path = environment.get("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

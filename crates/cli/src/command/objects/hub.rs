//! What a scan takes from the hub: exemptions that hold everywhere. Those of one cluster or project excuse nothing
//! elsewhere, and a scan does not know where its objects will run.
use crate::exit::Failure;
use anyhow::anyhow;
use seawall_model::Problem;
use seawall_model::exemption;
use seawall_model::scope::ScopePath;
use seawall_posture::exemption::Exemption;
use seawall_uplink::{HubCa, ReadError, Reader};

/// Of the API, as a script's environment holds it.
const TOKEN: &str = "SEAWALL_TOKEN";
const HUB_CA: &str = "SEAWALL_HUB_CA";
/// Where distributions keep the CAs that everybody trusts.
const SYSTEM_CAS: [&str; 2] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];
/// Exemptions read; organisations with more have other worries.
const MAX_EXEMPTIONS: usize = 20_000;

#[derive(serde::Deserialize)]
struct Page {
    items: Vec<exemption::Exemption>,
    next: Option<String>,
}

/// Granted exemptions of the whole organisation that excuse objects.
pub(super) fn exemptions(hub: &str) -> Result<(Vec<Exemption>, Vec<Problem>), Failure> {
    let (stored, problems) = everywhere(hub)?;
    Ok((stored.iter().filter_map(Exemption::from_hub).collect(), problems))
}

/// Granted exemptions of the whole organisation, and what is told of others.
pub(crate) fn everywhere(hub: &str) -> Result<(Vec<exemption::Exemption>, Vec<Problem>), Failure> {
    let token = std::env::var(TOKEN).map_err(|_| {
        Failure::usage(anyhow!("`--hub` needs an API token in ${TOKEN}"))
            .with_help("make one: hub, Settings, API tokens; the role viewer is enough")
    })?;
    let ca = ca()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let stored = runtime.block_on(all(&Reader { hub, ca: &ca, token: token.trim() }));
    let stored = stored.map_err(|error| match error {
        error @ ReadError::Refused { status: 401 | 403, .. } => Failure::could_not_run(error)
            .with_help("the token has expired, was revoked or may not read exemptions"),
        error => Failure::could_not_run(error),
    })?;
    let (everywhere, narrower): (Vec<_>, Vec<_>) =
        stored.into_iter().partition(|exemption| exemption.scope == ScopePath::root());
    let mut problems = Vec::new();
    if !narrower.is_empty() {
        let message = format!(
            "{} exemptions of the hub are for single scopes and do not hold here",
            narrower.len()
        );
        problems.push(Problem::note("exemption-scope", message));
    }
    Ok((everywhere, problems))
}

async fn all(reader: &Reader<'_>) -> Result<Vec<exemption::Exemption>, ReadError> {
    let mut found = Vec::new();
    let mut path = "/api/v1/exemptions?filter=state%3Agranted&limit=500".to_owned();
    loop {
        let page: Page = reader.get(&path).await?;
        found.extend(page.items);
        match page.next {
            Some(next) if found.len() < MAX_EXEMPTIONS => {
                let next: String = form(&next);
                path = format!("/api/v1/exemptions?filter=state%3Agranted&limit=500&after={next}");
            }
            _ => return Ok(found),
        }
    }
}

/// A value of a query, escaped. Source: RFC 3986, section 2.3.
fn form(value: &str) -> String {
    let mut text = String::new();
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                text.push(char::from(byte));
            }
            other => text += &format!("%{other:02X}"),
        }
    }
    text
}

/// The pinned CA, else those of the system.
fn ca() -> Result<HubCa, Failure> {
    if let Ok(pin) = std::env::var(HUB_CA) {
        return pin.parse().map_err(|error: seawall_uplink::InvalidHubCa| {
            Failure::usage(anyhow!("${HUB_CA}: {error}"))
        });
    }
    let pem = SYSTEM_CAS.iter().find_map(|path| std::fs::read_to_string(path).ok());
    pem.map(HubCa::Pem).ok_or_else(|| {
        Failure::usage(anyhow!("no CA is known that the hub's certificate could lead to"))
            .with_help(format!("set {HUB_CA} to the fingerprint that the hub prints at its start"))
    })
}

#[test]
fn cursors_are_escaped() {
    assert_eq!(form("a/b=c+d é"), "a%2Fb%3Dc%2Bd%20%C3%A9");
}

//! AWS credentials: environment, web identity, shared file, container, instance.
//! Source: AWS SDKs and Tools Reference Guide, "Standardized credential providers".
use super::sigv4::Keys;
use super::{address, answer, body, metadata_text, text};
use crate::registry::auth::{Place, parse};
use crate::registry::error::Error;
use crate::registry::options::Environment;
use crate::registry::transport::Call;
use reqwest::{Method, Url};
use serde::Deserialize;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Where containers' credentials may be asked for without TLS: ECS and EKS.
/// Source: the same guide, "Container credential provider".
const CONTAINER_HOSTS: [&str; 3] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"];

/// What the container and instance services answer.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Served {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
}

impl From<Served> for Keys {
    fn from(served: Served) -> Self {
        Self {
            access: served.access_key_id,
            secret: served.secret_access_key.into(),
            session: served.token.map(Into::into),
        }
    }
}

/// The first source that has some, with its name. A source that is configured and fails ends the search.
pub(super) async fn keys(
    place: &Place<'_>,
    environment: &Environment,
    region: &str,
) -> Result<Option<(Keys, &'static str)>, Error> {
    if let Some(keys) = of_environment(environment) {
        return Ok(Some((keys, "the environment")));
    }
    if let Some(keys) = of_web_identity(place, environment, region).await? {
        return Ok(Some((keys, "its web identity")));
    }
    if let Some(keys) = of_shared_file(place, environment)? {
        return Ok(Some((keys, "the shared file")));
    }
    if let Some(keys) = of_container(place, environment).await? {
        return Ok(Some((keys, "its container")));
    }
    Ok(of_instance(place, environment).await.map(|keys| (keys, "its instance")))
}

fn of_environment(environment: &Environment) -> Option<Keys> {
    Some(Keys {
        access: environment.get("AWS_ACCESS_KEY_ID")?,
        secret: environment.get("AWS_SECRET_ACCESS_KEY")?.into(),
        session: environment.get("AWS_SESSION_TOKEN").map(Into::into),
    })
}

/// Kubernetes' service accounts. Source: AWS STS API Reference, "AssumeRoleWithWebIdentity".
async fn of_web_identity(
    place: &Place<'_>,
    environment: &Environment,
    region: &str,
) -> Result<Option<Keys>, Error> {
    let file = environment.get("AWS_WEB_IDENTITY_TOKEN_FILE");
    let (Some(file), Some(role)) = (file, environment.get("AWS_ROLE_ARN")) else { return Ok(None) };
    let token = text(place, Path::new(&file))?;
    let session = environment.get("AWS_ROLE_SESSION_NAME").unwrap_or_else(|| "seawall".to_owned());
    let given = environment.get("AWS_ENDPOINT_URL_STS");
    let given = given.or_else(|| environment.get("AWS_ENDPOINT_URL"));
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let region = environment.get("AWS_REGION").unwrap_or_else(|| region.to_owned());
    let url = address(place, given, &format!("https://sts.{region}.{suffix}/"))?;
    let step = format!("{} (assume the role {role} at STS)", place.step);
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", "2011-06-15"),
        ("RoleArn", &role),
        ("RoleSessionName", &session),
        ("WebIdentityToken", &token),
    ];
    let call = Call::form(place.host, &step, url, &fields);
    let answer = body(place, &call).await?;
    let answer = String::from_utf8_lossy(&answer);
    let part = |name: &str| {
        element(&answer, name).ok_or_else(|| call.invalid(format!("the answer has no {name}")))
    };
    Ok(Some(Keys {
        access: part("AccessKeyId")?,
        secret: part("SecretAccessKey")?.into(),
        session: Some(part("SessionToken")?.into()),
    }))
}

/// The text of the only element of that name: STS answers in XML, and keys have nothing to unescape.
fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    let (text, _) = rest.split_once(&format!("</{name}>"))?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn of_shared_file(place: &Place<'_>, environment: &Environment) -> Result<Option<Keys>, Error> {
    let named = environment.get("AWS_SHARED_CREDENTIALS_FILE").map(PathBuf::from);
    let usual = || Some(environment.home()?.join(".aws/credentials"));
    let Some(path) = named.or_else(usual).filter(|path| path.exists()) else { return Ok(None) };
    let profile = environment.get("AWS_PROFILE");
    let keys = profile_keys(&text(place, &path)?, profile.as_deref().unwrap_or("default"));
    match (keys, profile) {
        (None, Some(profile)) => {
            let profile = profile.escape_debug();
            Err(place.error(format!("{} has no keys for profile {profile}", path.display())))
        }
        (keys, _) => Ok(keys),
    }
}

/// Source: the same guide, "Shared config and credentials files".
fn profile_keys(text: &str, profile: &str) -> Option<Keys> {
    let mut lines = text.lines().map(str::trim);
    lines.by_ref().find(|line| {
        line.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(name, _)| name.trim())
            == Some(profile)
    })?;
    let (mut access, mut secret, mut session) = (None, None, None);
    for line in lines.take_while(|line| !line.starts_with('[')) {
        let Some((key, value)) = line.split_once('=') else { continue };
        let value = value.trim().to_owned();
        match key.trim() {
            "aws_access_key_id" => access = Some(value),
            "aws_secret_access_key" => secret = Some(value.into()),
            "aws_session_token" => session = Some(value.into()),
            _ => {}
        }
    }
    Some(Keys { access: access?, secret: secret?, session })
}

async fn of_container(place: &Place<'_>, environment: &Environment) -> Result<Option<Keys>, Error> {
    let relative = environment.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let relative = relative.map(|path| format!("http://169.254.170.2{path}"));
    let full = environment.get("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let Some(given) = relative.or(full) else { return Ok(None) };
    let url = address(place, Some(given), "")?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let near = CONTAINER_HOSTS.contains(&host.as_str())
        || host == "localhost"
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if url.scheme() == "http" && !near {
        let reason = "AWS_CONTAINER_CREDENTIALS_FULL_URI leads to plain http at another machine";
        return Err(place.error(reason));
    }
    let token = match environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => Some(text(place, Path::new(&file))?),
        None => environment.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"),
    };
    let step = format!("{} (get AWS credentials from the container's service)", place.step);
    let mut call = Call::get(place.host, &step, url);
    call.metadata = near;
    if let Some(token) = token {
        call.header("authorization", &token);
    }
    let served: Served = answer(place, &call).await?;
    Ok(Some(served.into()))
}

/// Source: Amazon EC2 User Guide, "Use the Instance Metadata Service", version 2 alone.
async fn of_instance(place: &Place<'_>, environment: &Environment) -> Option<Keys> {
    let disabled = environment.get("AWS_EC2_METADATA_DISABLED");
    if disabled.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return None;
    }
    let given = environment.get("AWS_EC2_METADATA_SERVICE_ENDPOINT");
    let base: Url = address(place, given, "http://169.254.169.254/").ok()?;
    let mut call = Call::get(place.host, place.step, base.join("/latest/api/token").ok()?);
    call.method = Method::PUT;
    call.header("x-aws-ec2-metadata-token-ttl-seconds", "300");
    let token = String::from_utf8(metadata_text(place, &mut call).await?).ok()?;
    let folder = base.join("/latest/meta-data/iam/security-credentials/").ok()?;
    let get = |url: Url| {
        let mut call = Call::get(place.host, place.step, url);
        call.header("x-aws-ec2-metadata-token", &token);
        call
    };
    let roles = metadata_text(place, &mut get(folder.clone())).await?;
    let role = String::from_utf8(roles).ok()?.lines().next()?.trim().to_owned();
    let served = metadata_text(place, &mut get(folder.join(&role).ok()?)).await?;
    parse::<Served>(&served).ok().map(Into::into)
}

#[test]
fn profiles() {
    #[track_caller]
    fn check(profile: &str, expected: Option<(&str, bool)>) {
        let text = "# keys\n[default]\naws_access_key_id = A\naws_secret_access_key=S\n\n[ci]\n\
                    aws_access_key_id=B\naws_secret_access_key = T==\naws_session_token = U\n[half]\n\
                    aws_access_key_id=C\n";
        let found = profile_keys(text, profile);
        let found = found.as_ref().map(|keys| (keys.access.as_str(), keys.session.is_some()));
        assert_eq!(found, expected);
    }
    check("default", Some(("A", false)));
    check("ci", Some(("B", true)));
    check("half", None);
    check("none", None);
}

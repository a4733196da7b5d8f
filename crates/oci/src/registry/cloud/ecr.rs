//! Amazon ECR: AWS credentials buy a password of twelve hours.
//! Source: Amazon ECR API Reference, "GetAuthorizationToken"; "Private registry authentication".
use super::{address, answer, aws, in_seconds, sigv4};
use crate::registry::auth::{Found, Place};
use crate::registry::credential::Credential;
use crate::registry::error::Error;
use crate::registry::options::Environment;
use crate::registry::transport::Call;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use reqwest::Method;
use serde::Deserialize;
use std::collections::BTreeMap;

const TARGET: &str = "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken";
const CONTENT: &str = "application/x-amz-json-1.1";

/// `ACCOUNT.dkr.ecr[-fips].REGION.SUFFIX`, `ACCOUNT.dkr-ecr[-fips].REGION.on.aws`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Registry<'a> {
    region: &'a str,
    fips: bool,
    suffix: &'static str,
}

impl<'a> Registry<'a> {
    pub(super) fn parse(host: &'a str) -> Option<Self> {
        let (account, rest) = host.split_once(".dkr")?;
        let (kind, rest) = rest.strip_prefix(['.', '-'])?.split_once('.')?;
        let fips = match kind {
            "ecr" => false,
            "ecr-fips" => true,
            _ => return None,
        };
        let (region, domain) = rest.split_once('.')?;
        let suffix = match domain {
            "amazonaws.com" | "on.aws" => "amazonaws.com",
            "amazonaws.com.cn" | "on.amazonwebservices.com.cn" => "amazonaws.com.cn",
            "amazonaws.eu" => "amazonaws.eu",
            _ => return None,
        };
        let word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        (word(account) && word(region)).then_some(Self { region, fips, suffix })
    }

    fn endpoint(&self) -> String {
        let (region, suffix) = (self.region, self.suffix);
        match self.fips {
            true => format!("https://ecr-fips.{region}.{suffix}/"),
            false => format!("https://api.ecr.{region}.{suffix}/"),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    authorization_data: Vec<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    /// Base64 of `AWS:password`.
    authorization_token: String,
    /// Epoch seconds.
    expires_at: Option<f64>,
}

pub(super) async fn credential(
    place: &Place<'_>,
    environment: &Environment,
    registry: &Registry<'_>,
) -> Result<Option<Found>, Error> {
    let keys = aws::keys(place, environment, registry.region).await?;
    let Some((keys, from)) = keys else { return Ok(None) };
    let given = environment.get("AWS_ENDPOINT_URL_ECR");
    let given = given.or_else(|| environment.get("AWS_ENDPOINT_URL"));
    let url = address(place, given, &registry.endpoint())?;
    let step = format!("{} (get an ECR token with AWS credentials of {from})", place.step);
    let mut call = Call::get(place.host, &step, url);
    (call.method, call.body) = (Method::POST, Some("{}".to_owned()));
    let now = place.transport.clock.now();
    sign(&mut call, &keys, registry.region, now);
    let got: Answer = answer(place, &call).await?;
    let Some(data) = got.authorization_data.into_iter().next() else {
        return Err(call.invalid("the answer holds no token"));
    };
    let decoded = BASE64.decode(&data.authorization_token).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((user, password)) = decoded.as_deref().and_then(|text| text.split_once(':')) else {
        return Err(call.invalid("its token is not base64 of `user:password`"));
    };
    let left = data.expires_at.map(|at| (at - now as f64 / 1000.0).max(0.0) as u64);
    Ok(Some(Found {
        credential: Credential::Basic { user: user.to_owned(), password: password.into() },
        from: format!("ECR, with AWS credentials of {from}"),
        until: left.and_then(in_seconds),
    }))
}

fn sign(call: &mut Call<'_>, keys: &sigv4::Keys, region: &str, now: i64) {
    let time = jiff::Timestamp::from_millisecond(now).unwrap_or_default();
    let time = time.strftime("%Y%m%dT%H%M%SZ").to_string();
    let host = call.url.host_str().unwrap_or_default();
    let host = match call.url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let mut headers = BTreeMap::from([
        ("content-type", CONTENT.to_owned()),
        ("host", host),
        ("x-amz-date", time.clone()),
        ("x-amz-target", TARGET.to_owned()),
    ]);
    if let Some(session) = &keys.session {
        headers.insert("x-amz-security-token", session.expose().to_owned());
    }
    let signed = sigv4::Signed {
        method: "POST",
        path: call.url.path(),
        headers: &headers,
        body: call.body.as_deref().unwrap_or_default(),
        time: &time,
        region,
        service: "ecr",
    };
    let authorization = sigv4::authorization(&signed, keys);
    headers.remove("host");
    for (name, value) in &headers {
        call.header(name, value);
    }
    call.header("authorization", &authorization);
}

#[test]
fn hosts() {
    #[track_caller]
    fn check(host: &str, expected: Option<&str>) {
        assert_eq!(Registry::parse(host).map(|own| own.endpoint()).as_deref(), expected, "{host}");
    }
    check(
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        Some("https://api.ecr.eu-west-1.amazonaws.com/"),
    );
    check(
        "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        Some("https://ecr-fips.us-gov-west-1.amazonaws.com/"),
    );
    check(
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        Some("https://api.ecr.cn-north-1.amazonaws.com.cn/"),
    );
    check(
        "123456789012.dkr-ecr.us-east-1.on.aws",
        Some("https://api.ecr.us-east-1.amazonaws.com/"),
    );
    check("123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example", None);
    check("123456789012.dkr.ecr.evil.example/.amazonaws.com", None);
    check("public.ecr.aws", None);
    check("registry.example", None);
}

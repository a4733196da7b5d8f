//! Each cloud's exchange against a server that follows its published protocol.
use crate::registry::auth::{Found, Place};
use crate::registry::credential::Credential;
use crate::registry::error::{Error, ErrorKind};
use crate::registry::options::{Environment, Options};
use crate::registry::process::{free_port, is_there, serve};
use crate::registry::server::{Answer, Asked, Server};
use crate::registry::tests::options;
use crate::registry::transport::Transport;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

/// 2026-01-02T03:04:05Z
const NOW: i64 = 1_767_323_045_000;

/// What the addresses of variables lead to.
trait Service {
    fn url(&self) -> String;
}

impl Service for Server {
    fn url(&self) -> String {
        Self::url(self)
    }
}

/// A program's port.
impl Service for u16 {
    fn url(&self) -> String {
        format!("http://127.0.0.1:{self}")
    }
}

/// What the cloud of `host` gives; `{}` in values is the server's address.
fn ask(
    host: &str,
    server: &impl Service,
    variables: &[(&str, &str)],
) -> Result<Option<Found>, Error> {
    let variables: BTreeMap<_, _> = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.replace("{}", &server.url()).into()))
        .collect();
    let options = Options { environment: Environment::Given(variables), ..options() };
    let clock = Arc::new(seawall_model::time::FixedClock::at(NOW));
    let transport = Transport::new(&options, clock);
    let base = format!("{}/v2/", server.url()).parse().unwrap();
    let (repository, scope, step) = ("ns/app", "repository:ns/app:pull", "pull");
    let place = Place { host, base: &base, repository, scope, step, transport: &transport };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(super::credential(&place, &options.environment))
}

#[track_caller]
fn gives(
    host: &str,
    server: &impl Service,
    variables: &[(&str, &str)],
    expected: Option<Credential>,
) {
    let found = ask(host, server, variables).unwrap();
    assert_eq!(found.map(|found| found.credential), expected);
}

#[track_caller]
fn fails(host: &str, server: &Server, variables: &[(&str, &str)], said: &str) {
    let error = ask(host, server, variables).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Credential, "{error}");
    assert!(error.to_string().contains(said), "no {said:?} in {error}");
}

fn basic(user: &str, password: &str) -> Option<Credential> {
    Some(Credential::Basic { user: user.to_owned(), password: password.into() })
}

fn put(dir: &TempDir, name: &str, content: &str) -> String {
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    path.display().to_string()
}

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

fn keys(access: &str) -> Value {
    json!({"AccessKeyId": access, "SecretAccessKey": "S", "Token": "T", "Expiration": "2030-01-01T00:00:00Z"})
}

/// Instance, container and token services, and ECR, which gives a password that names the access key.
fn aws(asked: &Asked) -> Answer {
    match (asked.method.as_str(), asked.target.as_str()) {
        ("PUT", "/latest/api/token") => Answer::ok("IMDS"),
        ("GET", path) if path.starts_with("/latest/meta-data/") => {
            match (asked.header("x-aws-ec2-metadata-token"), path.rsplit('/').next()) {
                ("IMDS", Some("")) => Answer::ok("node-role\n"),
                ("IMDS", Some("node-role")) => Answer::json(keys("INSTANCE")),
                _ => Answer::status(401),
            }
        }
        ("GET", "/container") if asked.header("authorization") == "pod" => {
            Answer::json(keys("CONTAINER"))
        }
        ("POST", "/") if asked.body.starts_with("Action=AssumeRoleWithWebIdentity") => Answer::ok(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
                 <SessionToken>T</SessionToken><SecretAccessKey>S</SecretAccessKey>\
                 <AccessKeyId>ROLE</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>\
                 </AssumeRoleWithWebIdentityResponse>",
        ),
        ("POST", "/") if asked.header("x-amz-target").ends_with(".GetAuthorizationToken") => {
            let header = asked.header("authorization");
            let access =
                header.split_once("Credential=").and_then(|(_, rest)| rest.split_once('/'));
            let Some((access, _)) = access.filter(|(access, _)| *access != "REFUSED") else {
                return Answer::json(json!({"__type": "x", "message": "The token is invalid"}))
                    .with_status(400);
            };
            let token = BASE64.encode(format!("AWS:{access}"));
            let expires = NOW as f64 / 1000.0 + 3600.5;
            Answer::json(
                json!({"authorizationData": [{"authorizationToken": token, "expiresAt": expires}]}),
            )
        }
        _ => Answer::status(404),
    }
}

#[test]
fn ecr_with_credentials_of_each_source() {
    let server = Server::start(aws);
    let dir = TempDir::new().unwrap();
    let file = put(&dir, "credentials", "[ci]\naws_access_key_id=FILE\naws_secret_access_key=S\n");
    let token = put(&dir, "token", "jwt\n");
    let (ecr, sts) = (("AWS_ENDPOINT_URL_ECR", "{}"), ("AWS_ENDPOINT_URL_STS", "{}"));
    let given = |access| {
        gives(
            ECR,
            &server,
            &[ecr, ("AWS_ACCESS_KEY_ID", access), ("AWS_SECRET_ACCESS_KEY", "S")],
            basic("AWS", access),
        )
    };
    given("ENVIRONMENT");
    gives(
        ECR,
        &server,
        &[
            ecr,
            sts,
            ("AWS_WEB_IDENTITY_TOKEN_FILE", &token),
            ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ],
        basic("AWS", "ROLE"),
    );
    gives(
        ECR,
        &server,
        &[ecr, ("AWS_SHARED_CREDENTIALS_FILE", &file), ("AWS_PROFILE", "ci")],
        basic("AWS", "FILE"),
    );
    let container = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "{}/container");
    gives(
        ECR,
        &server,
        &[ecr, container, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod")],
        basic("AWS", "CONTAINER"),
    );
    let instance = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "{}");
    gives(ECR, &server, &[ecr, instance], basic("AWS", "INSTANCE"));
    gives(ECR, &server, &[ecr, instance, ("AWS_EC2_METADATA_DISABLED", "true")], None);
    let signed = &server.asked("/")[0];
    assert_eq!(signed.header("x-amz-date"), "20260102T030405Z");
    assert!(
        signed.header("authorization").starts_with(
            "AWS4-HMAC-SHA256 Credential=ENVIRONMENT/20260102/eu-west-1/ecr/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
        ),
        "{signed:?}"
    );
    let role =
        server.asked("/").into_iter().find(|asked| asked.body.contains("WebIdentity")).unwrap();
    assert!(role.body.ends_with("&RoleSessionName=seawall&WebIdentityToken=jwt"), "{}", role.body);
}

/// `$SEAWALL_MOTO` is where `make test` installed it.
#[test]
fn ecr_as_moto_has_it() {
    let program = std::env::var("SEAWALL_MOTO").ok().filter(|path| !path.is_empty());
    let program = program.unwrap_or_else(|| "moto_server".to_owned());
    if !is_there("ecr_as_moto_has_it", &program) {
        return;
    }
    let port = free_port();
    let _moto = serve(Command::new(program).args(["--port", &port.to_string()]), port);
    let dir = TempDir::new().unwrap();
    let token = put(&dir, "token", "jwt");
    let all = ("AWS_ENDPOINT_URL", "{}");
    let direct = [all, ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "S")];
    let role = ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/puller");
    let assumed = [all, ("AWS_WEB_IDENTITY_TOKEN_FILE", token.as_str()), role];
    for variables in [direct, assumed] {
        let found = ask(ECR, &port, &variables).unwrap().unwrap();
        // Source: moto `ecr/responses.py`, `get_authorization_token`.
        assert_eq!(Some(found.credential), basic("AWS", "123456789012-auth-token"));
    }
}

#[test]
fn ecr_refusals() {
    let server = Server::start(aws);
    let dir = TempDir::new().unwrap();
    let file = put(&dir, "credentials", "[ci]\naws_access_key_id=FILE\naws_secret_access_key=S\n");
    let ecr = ("AWS_ENDPOINT_URL", "{}");
    let refused = [ecr, ("AWS_ACCESS_KEY_ID", "REFUSED"), ("AWS_SECRET_ACCESS_KEY", "S")];
    fails(
        ECR,
        &server,
        &refused,
        "with AWS credentials of the environment): it answered 400 Bad Request: The token",
    );
    let profile = [ecr, ("AWS_SHARED_CREDENTIALS_FILE", file.as_str()), ("AWS_PROFILE", "none")];
    fails(ECR, &server, &profile, "has no keys for profile none");
    let away = [ecr, ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/x")];
    fails(ECR, &server, &away, "plain http at another machine");
    let expires =
        ask(ECR, &server, &[ecr, ("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "S")]);
    let until = expires.unwrap().unwrap().until.unwrap();
    let left = until.duration_since(std::time::Instant::now()).as_secs();
    assert!((3590..=3600).contains(&left), "{left}");
}

/// Entra ID, the metadata service and the registry's exchange.
fn azure(asked: &Asked) -> Answer {
    let token = |text: &str| Answer::json(json!({"access_token": text, "expires_in": "3599"}));
    let path = asked.target.split('?').next().unwrap();
    match path {
        "/t1/oauth2/v2.0/token" if asked.body.contains("client_secret=wrong") => {
            Answer::json(json!({"error": "invalid_client", "error_description": "AADSTS7000215"}))
                .with_status(401)
        }
        "/t1/oauth2/v2.0/token" => {
            let form = &asked.body;
            assert!(form.starts_with("grant_type=client_credentials&client_id=c1&scope=https%3A%2F%2Fcontainerregistry.azure.net%2F.default&"), "{form}");
            token(if form.contains("client_secret=s1") { "SP" } else { "WI" })
        }
        "/metadata/identity/oauth2/token" if asked.header("metadata") == "true" => token("MI"),
        "/oauth2/exchange" => {
            let (_, given) = asked
                .body
                .split_once("access_token=")
                .filter(|_| {
                    asked.body.starts_with("grant_type=access_token&service=own.azurecr.io&")
                })
                .unwrap();
            let given = given.split('&').find(|part| part.len() == 2).unwrap();
            Answer::json(json!({"refresh_token": format!("REFRESH-{given}")}))
        }
        _ => Answer::status(404),
    }
}

#[test]
fn acr_with_each_identity() {
    let server = Server::start(azure);
    let dir = TempDir::new().unwrap();
    let file = put(&dir, "token", "projected");
    let refresh = |of: &str| Some(Credential::Identity(format!("REFRESH-{of}").into()));
    let (tenant, client) = (("AZURE_TENANT_ID", "t1"), ("AZURE_CLIENT_ID", "c1"));
    let authority = ("AZURE_AUTHORITY_HOST", "{}/");
    let machine = ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "{}");
    let host = "own.azurecr.io";
    let secret = ("AZURE_CLIENT_SECRET", "s1");
    gives(host, &server, &[authority, tenant, client, secret], refresh("SP"));
    let projected = ("AZURE_FEDERATED_TOKEN_FILE", file.as_str());
    gives(host, &server, &[authority, tenant, client, projected], refresh("WI"));
    gives(host, &server, &[machine, client], refresh("MI"));
    assert!(server.asked("/metadata")[0].target.ends_with("&client_id=c1"));
    fails(
        host,
        &server,
        &[authority, tenant, client, ("AZURE_CLIENT_SECRET", "wrong")],
        "invalid_client; AADSTS7000215",
    );
    fails(
        host,
        &server,
        &[authority, tenant, client, ("AZURE_FEDERATED_TOKEN_FILE", "/none")],
        "/none cannot be read",
    );
    let silent = Server::start(|_| Answer::status(404));
    gives(host, &silent, &[machine], None);
}

/// An RSA key in PEM, as service accounts have; ring signs with such keys but makes none.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let arguments = ["genpkey", "-quiet", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"];
    let output = Command::new("openssl").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
});

fn google(asked: &Asked) -> Answer {
    match asked.target.as_str() {
        "/token" if asked.body.contains("jwt-bearer") => {
            let (_, assertion) = asked.body.split_once("assertion=").unwrap();
            let parts: Vec<_> = assertion.split('.').collect();
            let part = |text: &str| {
                serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
            };
            let (header, claims) = (part(parts[0]), part(parts[1]));
            assert_eq!((&header["alg"], &header["kid"]), (&json!("RS256"), &json!("k1")));
            assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
            assert_eq!(claims["iat"], NOW / 1000);
            assert_eq!(claims["iss"], "sa@p.iam.gserviceaccount.com");
            let key = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
            let key = ring::signature::RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
            let public = ring::signature::UnparsedPublicKey::new(
                &ring::signature::RSA_PKCS1_2048_8192_SHA256,
                key.public().as_ref().to_vec(),
            );
            let text = format!("{}.{}", parts[0], parts[1]);
            public.verify(text.as_bytes(), &URL_SAFE_NO_PAD.decode(parts[2]).unwrap()).unwrap();
            Answer::json(json!({"access_token": "SA", "expires_in": 3599}))
        }
        "/token" if asked.body.contains("refresh_token=R1") => {
            Answer::json(json!({"access_token": "USER"}))
        }
        "/token" => Answer::json(json!({"error": "invalid_grant"})).with_status(400),
        "/computeMetadata/v1/instance/service-accounts/default/token"
            if asked.header("metadata-flavor") == "Google" =>
        {
            Answer::json(json!({"access_token": "GCE", "expires_in": 100}))
        }
        _ => Answer::status(404),
    }
}

#[test]
fn gar_with_each_identity() {
    let server = Server::start(google);
    let dir = TempDir::new().unwrap();
    let uri = format!("{}/token", server.url());
    let user = |refresh: &str| {
        json!({
            "type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": refresh,
            "token_uri": uri,
        })
    };
    let account = json!({
        "type": "service_account", "client_email": "sa@p.iam.gserviceaccount.com", "private_key": *KEY,
        "private_key_id": "k1", "token_uri": uri,
    });
    let with = |name: &str, key: Value| put(&dir, name, &key.to_string());
    let password = |text: &str| basic("oauth2accesstoken", text);
    let variable = "GOOGLE_APPLICATION_CREDENTIALS";
    let host = "europe-docker.pkg.dev";
    gives(host, &server, &[(variable, &with("account", account.clone()))], password("SA"));
    gives("eu.gcr.io", &server, &[(variable, &with("user", user("R1")))], password("USER"));
    let metadata = ("GCE_METADATA_HOST", server.host());
    gives("gcr.io", &server, &[(metadata.0, &metadata.1)], password("GCE"));
    fails(host, &server, &[(variable, &with("old", user("R2")))], "400 Bad Request: invalid_grant");
    let mut broken = account;
    broken["private_key"] = json!("no key");
    fails(
        host,
        &server,
        &[(variable, &with("broken", broken))],
        "private key of its key file is not usable",
    );
    let external = json!({"type": "external_account"});
    fails(
        host,
        &server,
        &[(variable, &with("external", external))],
        "neither of a service account",
    );
    fails(host, &server, &[(variable, "/none")], "/none cannot be read");
    gives("gcr.io.example", &server, &[(metadata.0, &metadata.1)], None);
}

//! Challenges met with credentials of options, files and helpers.
use crate::registry::server::{Answer, Asked, Server};
use crate::registry::tests::{name, options};
use crate::registry::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tempfile::TempDir;

fn encoded(pair: &str) -> String {
    format!("Basic {}", BASE64.encode(pair))
}

fn ann() -> Credential {
    Credential::Basic { user: "ann".into(), password: "hunter2".into() }
}

/// A token server that takes `ann:hunter2` and the identity token `refresh`, and a registry that takes its tokens.
fn token_registry(anonymous: bool) -> (Server, Server) {
    let issuer = Server::start(move |asked| {
        let taken = match asked.method.as_str() {
            "POST" => asked.body.contains("refresh_token=refresh"),
            _ if asked.header("authorization").is_empty() => anonymous,
            _ => asked.header("authorization") == encoded("ann:hunter2"),
        };
        match taken {
            true => Answer::json(json!({"token": "t0k3n", "expires_in": 300})),
            // Some servers say what they were told.
            false if asked.header("authorization").is_empty() => {
                Answer::json(json!({"details": asked.body})).with_status(401)
            }
            false => Answer::json(json!({"details": "no hunter3"})).with_status(401),
        }
    });
    let realm = issuer.url();
    let registry = Server::start(move |asked| {
        let scope = match asked.target.as_str() {
            "/v2/_catalog?n=1000" => "registry:catalog:*",
            _ => "repository:ns/app:pull",
        };
        let challenge =
            format!(r#"Bearer realm="{realm}/token?x=1",service="r.example",scope="{scope}""#);
        match asked.header("authorization") {
            "Bearer t0k3n" => Answer::json(json!({"tags": ["1"]})),
            _ => Answer::status(401).header("www-authenticate", challenge),
        }
    });
    (issuer, registry)
}

fn tags(server: &Server, options: &Options) -> Result<Listing, Error> {
    Registry::new(options).unwrap().tags(&name(server, "ns/app"))
}

fn with(server: &Server, credential: Credential) -> Options {
    Options { credentials: BTreeMap::from([(server.host(), credential)]), ..options() }
}

#[test]
fn tokens_are_bought_once_for_each_scope() {
    let (issuer, server) = token_registry(true);
    let registry = Arc::new(Registry::new(&options()).unwrap());
    for _ in 0..3 {
        assert_eq!(registry.tags(&name(&server, "ns/app")).unwrap().names, ["1"]);
        registry.repositories(&server.host()).unwrap();
    }
    let asked = issuer.asked("/token");
    let targets: Vec<_> = asked.iter().map(|asked| asked.target.as_str()).collect();
    assert_eq!(
        targets,
        [
            "/token?x=1&client_id=seawall&service=r.example&scope=repository%3Ans%2Fapp%3Apull",
            "/token?x=1&client_id=seawall&service=r.example&scope=registry%3Acatalog%3A*",
        ]
    );
    assert!(asked[0].header("authorization").is_empty());
}

#[test]
fn a_token_that_is_refused_is_bought_anew_once() {
    let issuer = Server::start(|_| Answer::json(json!({"access_token": "t", "expires_in": 300})));
    let challenge = format!(r#"Bearer realm="{}/token""#, issuer.url());
    let turn = AtomicUsize::new(0);
    // Refuses what it took before: the third request, then all from the fifth on.
    let server = Server::start(move |_| match turn.fetch_add(1, Ordering::Relaxed) {
        1 | 3 => Answer::json(json!({"tags": []})),
        _ => Answer::status(401).header("www-authenticate", challenge.clone()),
    });
    let registry = Arc::new(Registry::new(&options()).unwrap());
    let ask = || registry.tags(&name(&server, "ns/app"));
    ask().unwrap();
    ask().unwrap();
    assert_eq!(issuer.asked("/token").len(), 2);
    assert_eq!(ask().unwrap_err().kind, ErrorKind::Credential);
    assert_eq!((issuer.asked("/token").len(), server.asked("/v2/ns").len()), (3, 6));
}

#[test]
fn credentials_buy_tokens() {
    let (issuer, server) = token_registry(false);
    tags(&server, &with(&server, ann())).unwrap();
    assert_eq!(issuer.asked("/token")[0].header("authorization"), encoded("ann:hunter2"));
    tags(&server, &with(&server, Credential::Identity("refresh".into()))).unwrap();
    let form = &issuer.asked("/token")[1];
    assert_eq!(
        form.body,
        "grant_type=refresh_token&client_id=seawall&service=r.example&scope=repository%3Ans%2Fapp%3Apull&\
         refresh_token=refresh"
    );
    tags(&server, &with(&server, Credential::Bearer("t0k3n".into()))).unwrap();
    assert_eq!(issuer.asked("/token").len(), 2, "a token that is there is used");
}

/// The error of listing tags; it shows no secret.
#[track_caller]
fn refused(server: &Server, options: &Options, said: &str) {
    let error = tags(server, options).unwrap_err();
    let text = format!("{error} {error:?}");
    assert_eq!(error.kind, ErrorKind::Credential, "{text}");
    assert!(text.contains(said), "no {said:?} in {text}");
    assert!(!text.contains("hunter"), "{text}");
}

#[test]
fn refusals_say_what_to_do() {
    let (_issuer, server) = token_registry(false);
    let host = server.host();
    refused(
        &server,
        &options(),
        &format!("it gives none without a credential: log in (`docker login {host}`)"),
    );
    let wrong = Credential::Basic { user: "ann".into(), password: "hunter3".into() };
    refused(&server, &with(&server, wrong), "the credential from the configuration is not taken");
    refused(&server, &with(&server, Credential::Identity("hunter3".into())), "is not taken");
    let basic = Server::start(|_| Answer::status(401).header("www-authenticate", "Basic realm=x"));
    refused(&basic, &options(), "there is no credential for 127.0.0.1");
    refused(&basic, &with(&basic, ann()), "the credential from the configuration is not enough");
    assert_eq!(basic.asked("/v2/ns").len(), 3, "a password that is refused is not sent again");
    let forbidden = Server::start(|_| Answer::status(403));
    refused(&forbidden, &options(), "there is no credential");
    let odd = Server::start(|_| Answer::status(401).header("www-authenticate", "Negotiate"));
    refused(&odd, &with(&odd, ann()), "401 Unauthorized");
    let plain = r#"Bearer realm="http://auth.example/token""#;
    let plain = Server::start(move |_| Answer::status(401).header("www-authenticate", plain));
    let error = tags(&plain, &with(&plain, ann())).unwrap_err();
    assert!(error.reason.contains("plain http at auth.example"), "{error}");
}

/// A folder of this test with `PATH` and `HOME`.
struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn put(&self, path: &str, content: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn options(&self, more: &[(&str, &str)]) -> Options {
        let home = self.0.path().display().to_string();
        let path = format!("{home}/bin:/usr/bin:/bin");
        let mut variables = BTreeMap::from([("HOME", home.as_str()), ("PATH", path.as_str())]);
        variables.extend(more.iter().copied());
        let variables = variables.iter();
        let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).into()));
        Options { environment: Environment::Given(variables.collect()), ..options() }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

/// A registry that wants a password and says which one it got.
fn echo() -> Server {
    Server::start(|asked: &Asked| match asked.header("authorization").strip_prefix("Basic ") {
        Some(pair) => Answer::json(
            json!({"tags": [String::from_utf8(BASE64.decode(pair).unwrap()).unwrap()]}),
        ),
        None => Answer::status(401).header("www-authenticate", "Basic realm=\"r\""),
    })
}

#[test]
fn files_of_docker_and_podman() {
    let server = echo();
    let host = server.host();
    let entry = |pair: &str| json!({"auth": BASE64.encode(pair)});
    #[track_caller]
    fn check(server: &Server, path: &str, file: serde_json::Value, expected: &str) {
        let home = Home::new();
        home.put(path, &file.to_string());
        let named = home.path().join("named.json").display().to_string();
        let docker = home.path().join("docker").display().to_string();
        let runtime = home.path().join("run").display().to_string();
        let more = match path {
            "named.json" => vec![("REGISTRY_AUTH_FILE", named.as_str())],
            "docker/config.json" => vec![("DOCKER_CONFIG", docker.as_str())],
            _ => vec![("XDG_RUNTIME_DIR", runtime.as_str())],
        };
        match tags(server, &home.options(&more)) {
            Ok(found) => assert_eq!(found.names, [expected]),
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        }
    }
    let auths = |key: &str| json!({"auths": {key: entry("ann:hunter:2")}});
    for path in [
        ".docker/config.json",
        "docker/config.json",
        "named.json",
        "run/containers/auth.json",
        ".config/containers/auth.json",
    ] {
        check(&server, path, auths(&host), "ann:hunter:2");
    }
    let usual = ".docker/config.json";
    check(&server, usual, auths(&format!("https://{host}/v1/")), "ann:hunter:2");
    check(&server, usual, auths("other.example"), "there is no credential");
    let plain = json!({"auths": {&host: {"username": "bob", "password": "p"}}});
    check(&server, usual, plain, "bob:p");
    let nested = json!({"auths": {
        &host: entry("host:p"), format!("{host}/ns"): entry("ns:p"), format!("{host}/ns/application"): entry("no:p"),
    }});
    check(&server, "named.json", nested, "ns:p");
    let broken = json!({"auths": {&host: {"auth": "not base64"}}});
    check(&server, usual, broken, "an `auth` is not base64");
    let secret = json!({"auths": {&host: "hunter2"}});
    check(&server, usual, secret, "malformed JSON at line 1");
}

#[test]
fn helpers_are_asked() {
    let server = echo();
    let host = server.host();
    #[track_caller]
    fn check(server: &Server, config: serde_json::Value, script: &str, expected: &str) {
        let home = Home::new();
        home.put(".docker/config.json", &config.to_string());
        home.put("bin/docker-credential-own", &format!("#!/bin/sh\n{script}\n"));
        match tags(server, &home.options(&[])) {
            Ok(found) => assert_eq!(found.names, [expected]),
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        }
    }
    let mine = json!({"credHelpers": {&host: "own"}});
    let store = json!({"auths": {&host: {}}, "credsStore": "own"});
    let says = r#"read server; echo "{\"Username\":\"$1\",\"Secret\":\"$server\"}""#;
    for config in [&mine, &store] {
        check(&server, config.clone(), says, &format!("get:{host}"));
    }
    check(
        &server,
        mine.clone(),
        "echo credentials not found in native keychain; exit 1",
        "there is no credential",
    );
    check(&server, mine.clone(), "echo locked; exit 1", "docker-credential-own failed: locked");
    check(&server, mine.clone(), "echo '{\"Secret\": 1234}'", "malformed JSON at line 1");
    check(&server, mine.clone(), "yes", "wrote over 65536 bytes");
    check(
        &server,
        json!({"credHelpers": {&host: "none"}}),
        "",
        "docker-credential-none is not on the PATH",
    );
    check(
        &server,
        json!({"credHelpers": {&host: "../own"}}),
        "",
        "is no name of a credential helper",
    );
}

#[test]
fn a_helper_may_hold_an_identity_token() {
    let (issuer, server) = token_registry(false);
    let home = Home::new();
    home.put(".docker/config.json", &json!({"credsStore": "own"}).to_string());
    let script = "#!/bin/sh\necho '{\"Username\":\"<token>\",\"Secret\":\"refresh\"}'\n";
    home.put("bin/docker-credential-own", script);
    tags(&server, &home.options(&[])).unwrap();
    assert_eq!(issuer.asked("/token")[0].method, "POST");
}

#[test]
fn docker_hub_has_a_key_of_its_own() {
    let home = Home::new();
    let auths = json!({"auths": {"https://index.docker.io/v1/": {"auth": BASE64.encode("ann:p")}}});
    home.put(".docker/config.json", &auths.to_string());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let options = home.options(&[]);
    let clock = Arc::new(seawall_model::time::FixedClock::at(0));
    let transport = super::Transport::new(&options, clock);
    let base = "https://registry-1.docker.io/v2/".parse().unwrap();
    let place = super::Place {
        host: "docker.io",
        base: &base,
        repository: "library/alpine",
        scope: "",
        step: "",
        transport: &transport,
    };
    let found = runtime.block_on(super::files::look_up(&place, &options.environment));
    let expected = Credential::Basic { user: "ann".into(), password: "p".into() };
    assert_eq!(found.unwrap().unwrap().credential, expected);
}

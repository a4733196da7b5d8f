//! Debian's docker-registry: passwords of an htpasswd file, and tokens of a server that the test is.
use crate::image::{layout, paths};
use crate::process::{Process, free_port, is_there, serve};
use crate::server::{Answer, Asked, Server};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use seawall_oci::registry::{self, Credential, Environment, ErrorKind, Name, Registry};
use seawall_oci::{OpenError, Options, Reference, open};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tempfile::TempDir;

/// `ann`, whose password is `hunter2`, by `crypt(3)` with four rounds.
const HTPASSWD: &str = "ann:$2y$05$abcdefghijklmnopqrstuuoXuKqgZXLiJqzfmMXDDhSFPIvxV7t8.\n";

/// A registry with the `auth` section given, and one image pushed by skopeo as `ns/app:1`.
struct Bench {
    host: String,
    index: String,
    dir: TempDir,
    _process: Process,
}

impl Bench {
    fn start(auth: impl Fn(&Path, &str) -> String) -> Self {
        let (dir, port) = (TempDir::new().unwrap(), free_port());
        let host = format!("127.0.0.1:{port}");
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nhttp: {{addr: \"{host}\"}}\nstorage: {{filesystem: {{rootdirectory: \
             {}}}}}\n{}\n",
            dir.path().join("storage").display(),
            auth(dir.path(), &host),
        );
        let file = dir.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        let process = serve(Command::new("docker-registry").arg("serve").arg(&file), port);
        let index = layout(&dir.path().join("layout"));
        let bench = Self { host, index, dir, _process: process };
        bench.push("ns/app:1");
        bench
    }

    fn push(&self, name: &str) {
        let source = format!("oci:{}:1", self.dir.path().join("layout").display());
        let target = format!("docker://{}/{name}", self.host);
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["copy", "--quiet", "--all", "--insecure-policy", "--dest-tls-verify=false"]);
        skopeo.args(["--dest-creds", "ann:hunter2", &source, &target]);
        let output = skopeo.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn name(&self, rest: &str) -> Name {
        format!("{}/{rest}", self.host).parse().unwrap()
    }

    fn options(&self, password: Option<&str>) -> registry::Options {
        let credential = |password: &str| Credential::Basic {
            user: "ann".to_owned(),
            password: password.into(),
        };
        let credentials = password.map(|password| (self.host.clone(), credential(password)));
        registry::Options {
            credentials: credentials.into_iter().collect(),
            environment: Environment::Given(BTreeMap::new()),
            ..registry::Options::default()
        }
    }

    /// Opens and reads the image of both platforms, and lists what is there.
    fn holds_the_image(&self) {
        let registry = self.options(Some("hunter2"));
        for (rest, arch) in [("ns/app:1", "amd64"), (&format!("ns/app@{}", self.index), "arm64")] {
            let platform = Some(format!("linux/{arch}").parse().unwrap());
            let options = Options { platform, registry: registry.clone(), ..Options::default() };
            let image = open(&Reference::Registry { name: self.name(rest) }, &options).unwrap();
            assert_eq!(image.image.index_digest.as_deref(), Some(self.index.as_str()));
            assert_eq!(paths(&image), [arch]);
        }
        self.push("ns/app:2");
        let client = Registry::new(&registry).unwrap();
        client.check(&self.host).unwrap();
        assert_eq!(client.digest(&self.name("ns/app:1")).unwrap(), self.index);
        assert_eq!(client.tags(&self.name("ns/app")).unwrap().names, ["1", "2"]);
        let referrers = client.referrers(&self.name("ns/app"), &self.index, None).unwrap();
        assert!(
            referrers.is_empty(),
            "this registry has no list of its own, and there is no such tag"
        );
        let missing = client.manifest(&self.name("ns/app:3")).unwrap_err();
        assert_eq!(missing.kind, ErrorKind::NotFound, "{missing}");
        assert!(missing.reason.contains("MANIFEST_UNKNOWN"), "{missing}");
    }

    #[track_caller]
    fn refuses(&self, password: Option<&str>, said: &str) {
        let options = Options { registry: self.options(password), ..Options::default() };
        let opened = open(&Reference::Registry { name: self.name("ns/app:1") }, &options);
        let Err(OpenError::Registry(error)) = opened else { panic!("another outcome") };
        assert_eq!(error.kind, ErrorKind::Credential, "{error}");
        assert!(error.to_string().contains(said), "no {said:?} in {error}");
    }
}

fn programs(test: &str) -> bool {
    is_there(test, "docker-registry") && is_there(test, "skopeo")
}

#[test]
fn passwords() {
    if !programs("passwords") {
        return;
    }
    let bench = Bench::start(|dir, _| {
        let file = dir.join("htpasswd");
        std::fs::write(&file, HTPASSWD).unwrap();
        format!("auth: {{htpasswd: {{realm: r, path: {}}}}}", file.display())
    });
    bench.holds_the_image();
    let client = Registry::new(&bench.options(Some("hunter2"))).unwrap();
    assert_eq!(client.repositories(&bench.host).unwrap().names, ["ns/app"]);
    bench.refuses(
        None,
        "401 Unauthorized: UNAUTHORIZED: authentication required; there is no credential",
    );
    bench.refuses(Some("hunter3"), "the credential from the configuration is not enough");
}

/// A token server that signs what `ann:hunter2` asks for.
struct Issuer {
    certificate: Vec<u8>,
    key: EcdsaKeyPair,
}

impl Issuer {
    fn new() -> (Self, String) {
        let own = rcgen::generate_simple_self_signed(vec!["issuer".to_owned()]).unwrap();
        let secret = own.signing_key.serialize_der();
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let key = EcdsaKeyPair::from_pkcs8(algorithm, &secret, &random).unwrap();
        (Self { certificate: own.cert.der().to_vec(), key }, own.cert.pem())
    }

    fn answer(&self, asked: &Asked, service: &str) -> Answer {
        let expected = format!("Basic {}", STANDARD.encode("ann:hunter2"));
        if asked.header("authorization") != expected {
            return Answer::json(json!({"details": "incorrect username or password"}))
                .with_status(401);
        }
        let query = asked.target.split_once('?').map_or("", |(_, query)| query);
        let scopes = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "scope");
        let access: Vec<Value> = scopes.filter_map(|(_, scope)| grant(&scope)).collect();
        Answer::json(json!({"token": self.token(service, &access), "expires_in": 300}))
    }

    /// Source: Docker registry v2 Bearer token specification.
    fn token(&self, service: &str, access: &[Value]) -> String {
        let header =
            json!({"typ": "JWT", "alg": "ES256", "x5c": [STANDARD.encode(&self.certificate)]});
        let claims = json!({
            "iss": "issuer", "sub": "ann", "aud": service, "exp": 4_102_444_800_u64, "nbf": 0, "iat": 0,
            "jti": "1", "access": access,
        });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let text = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// `repository:ns/app:pull,push` as an access entry.
fn grant(scope: &str) -> Option<Value> {
    let mut parts = scope.split(':');
    let (kind, name) = (parts.next()?, parts.next()?);
    let actions: Vec<_> = parts.next()?.split(',').collect();
    Some(json!({"type": kind, "name": name, "actions": actions}))
}

#[test]
fn tokens() {
    if !programs("tokens") {
        return;
    }
    let (issuer, pem) = Issuer::new();
    let issuer = Arc::new(issuer);
    let server = Server::start(move |asked| issuer.answer(asked, "the registry"));
    let realm = format!("{}/token", server.url());
    let bench = Bench::start(|dir, _| {
        let bundle = dir.join("issuer.pem");
        std::fs::write(&bundle, &pem).unwrap();
        format!(
            "auth: {{token: {{realm: \"{realm}\", service: the registry, issuer: issuer, rootcertbundle: {}}}}}",
            bundle.display()
        )
    });
    let pushed = server.asked("/token").len();
    bench.holds_the_image();
    assert!(server.asked("/token").len() > pushed);
    let ours = server
        .asked("/token?client_id=seawall&service=the+registry&scope=repository%3Ans%2Fapp%3Apull");
    assert!(ours.len() <= 3 + 1, "one for each client, not for each request: {}", ours.len());
    bench.refuses(None, "it gives none without a credential");
    bench.refuses(
        Some("hunter3"),
        "incorrect username or password; the credential from the configuration",
    );
}

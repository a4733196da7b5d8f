//! Start and end of a hub: database, certificate authority, first Owner, ports, tasks.
use crate::advisories::Advisories;
use crate::api::enrolments;
use crate::api::stream::STREAMS_PER_PRINCIPAL;
use crate::app::{App, Shared};
use crate::auth::throttle::{
    AGENT_BYTES, RENEWALS, REQUESTS, SIGN_IN_PER_ACCOUNT, SIGN_IN_PER_ADDRESS, SIGNINGS, TWINS,
    Throttle,
};
use crate::auth::{PERMISSIONS, Permissions, password};
use crate::ca::{self, Authority, AuthorityPem, CaError, ClusterAuthority, Credentials};
use crate::content::Content;
use crate::entropy::Entropy;
use crate::seats::Seats;
use crate::tls::{self, TlsError};
use crate::{agents, api, serve, tasks};
use axum::Router;
use ipnet::IpNet;
use rustls::ServerConfig;
use seawall_model::access::{Principal, Role, User};
use seawall_model::scope::ScopePath;
use seawall_model::time::Clock;
use seawall_model::{Id, Millis};
use seawall_store::{
    Agents, Context, Enrolments, Location, NewAssignment, NewAuditEntry, NewEnrolment, NewUser,
    Reads, RoleAssignments, Settings, Store, Users, Visible,
};
use serde_json::json;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// The account that a first start makes; it stays as the way in when nothing else works.
pub const FIRST_OWNER: &str = "admin";

/// Where the certificate authorities lie among the store's settings.
const AUTHORITY: &str = "certificate-authority";
const CLUSTER_AUTHORITY: &str = "cluster-certificate-authority";
/// Agents of the hub's own machine enrol right after the start.
const LOCAL_ENROLMENT_LIFE: Millis = 10 * 60 * 1000;
/// Sensor and cluster agent, each once more after an early restart.
const LOCAL_ENROLMENTS: u32 = 4;

/// Further names of the hub's own certificates; every handshake carries them.
const MAX_TLS_NAMES: usize = 100;

/// How a hub is run.
pub struct Config {
    pub database: Location,
    /// UI and API.
    pub listen: SocketAddr,
    /// Agents, mTLS.
    pub agents_listen: SocketAddr,
    /// Where `db build` and `db update` put the advisory index; it need not exist yet.
    pub index: PathBuf,
    /// A certificate chain and its key as PEM files, instead of one from the hub's own CA.
    pub tls: Option<TlsFiles>,
    /// DNS names and IP addresses that the hub's own certificates are for, beside those it knows itself by.
    pub tls_names: Vec<String>,
    /// `https://HOST[:PORT]`, as browsers and agents reach the hub, where a proxy stands in between.
    pub base_url: Option<String>,
    /// The first Owner's password on a new database, instead of a random one; to be changed at the first sign-in too,
    /// since it stands elsewhere as well.
    pub first_password: Option<String>,
    /// Proxies before the API port whose `X-Forwarded-For` says who asks; nobody else's is believed.
    pub trusted_proxies: Vec<IpNet>,
    pub clock: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
}

#[derive(Clone, Debug)]
pub struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Why a hub does not start; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("cannot open the store")]
    Store(#[from] seawall_store::Error),
    #[error(
        "cannot listen on {address}: another program does; stop it, or choose another address with {option}"
    )]
    Taken { address: SocketAddr, option: &'static str },
    #[error("cannot listen on {address}; choose another address with {option}")]
    Listen { address: SocketAddr, option: &'static str, source: std::io::Error },
    #[error("`{0}` is no base URL: expected https://HOST or https://HOST:PORT, without a path")]
    BaseUrl(String),
    #[error(
        "`{0}` cannot be in a certificate: expected a DNS name or an IP address with --tls-name"
    )]
    TlsName(String),
    #[error("over {MAX_TLS_NAMES} names for a certificate: give fewer with --tls-name")]
    TlsNames,
    #[error("the password given for the first account {0}")]
    FirstPassword(String),
    #[error("the stored certificate authority is damaged: restore the database from a backup")]
    Authority { source: Box<dyn std::error::Error + Send + Sync> },
    /// The text of the cause says what to do.
    #[error(transparent)]
    Tls(Box<dyn std::error::Error + Send + Sync>),
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        Self::Tls(Box::new(error))
    }
}

impl From<CaError> for StartError {
    fn from(error: CaError) -> Self {
        Self::Authority { source: Box::new(error) }
    }
}

/// A running hub.
pub struct Hub {
    app: App,
    first_password: Option<String>,
    stop: watch::Sender<bool>,
    serving: JoinSet<()>,
}

impl Hub {
    /// Opens the store, makes what a first start needs, and serves both ports.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let base_url = config.base_url.as_deref().map(check_base_url).transpose()?;
        let names = check_tls_names(&config.tls_names)?;
        if let Some(password) = &config.first_password {
            password::check_new(password).map_err(StartError::FirstPassword)?;
        }
        // Ports before the store: a second hub must not touch what the first has open.
        let listener = listen(config.listen, "--listen").await?;
        let agents_listener = listen(config.agents_listen, "--agents").await?;
        let local = |listener: &TcpListener, asked| listener.local_addr().unwrap_or(asked);
        let api_address = local(&listener, config.listen);
        let agents_address = local(&agents_listener, config.agents_listen);

        let random = config.entropy.clone();
        let context =
            Context { clock: config.clock.clone(), random: Arc::new(move || random.bytes()) };
        let store = Store::open(&config.database, context).await?;
        let now = config.clock.now();
        let authority = load_authority(&store, AUTHORITY, || Authority::create(now)).await?;
        let authority = Authority::load(&authority)?;
        let created = || ClusterAuthority::create(now);
        let cluster_authority = load_authority(&store, CLUSTER_AUTHORITY, created).await?;
        let cluster_authority = ClusterAuthority::load(&cluster_authority)?;
        let browser_names = server_names(config.listen.ip(), base_url.as_deref(), &names);
        let (browser_tls, pin) = browser_tls(&config, &authority, browser_names)?;
        let agent_names = server_names(config.agents_listen.ip(), None, &names);
        let agent_credentials = authority.server(agent_names, now)?;
        let agent_tls = tls::agent_config(&authority, agent_credentials, config.clock.clone())?;
        let given = config.first_password.as_deref();
        let first_password = first_owner(&store, &config.entropy, given).await?;
        if matches!(config.database, Location::Directory(_)) {
            store.disconnect_all().await?;
        }

        let (content, problems) = Content::embedded();
        for problem in problems {
            tracing::error!(%problem, "built-in content not read");
        }
        let (stop, stopped) = watch::channel(false);
        let shared = Shared {
            store,
            clock: config.clock,
            entropy: config.entropy,
            content,
            advisories: Advisories::new(config.index),
            authority,
            cluster_authority,
            pin,
            base_url,
            api_address,
            agents_address,
            live: Default::default(),
            wakers: Default::default(),
            sign_ins_of_account: Throttle::new(SIGN_IN_PER_ACCOUNT),
            sign_ins_from_address: Throttle::new(SIGN_IN_PER_ADDRESS),
            refused_enrolments: Throttle::new(SIGN_IN_PER_ADDRESS),
            twins: Throttle::new(TWINS),
            renewals: Throttle::new(RENEWALS),
            signings: Throttle::new(SIGNINGS),
            requests: Throttle::new(REQUESTS),
            agent_bytes: Throttle::new(AGENT_BYTES),
            streams: Seats::new(STREAMS_PER_PRINCIPAL),
            stop: stopped.clone(),
        };
        let app = App::new(shared, PERMISSIONS);
        let mut serving = tasks::spawn(&app);
        let api = api::router(app.clone());
        let proxies = Arc::from(config.trusted_proxies);
        serving.spawn(serve::serve(listener, Arc::new(browser_tls), api, proxies, stopped.clone()));
        let (agents, none) = (agents::router(app.clone()), Arc::from([]));
        serving.spawn(serve::serve(agents_listener, Arc::new(agent_tls), agents, none, stopped));
        Ok(Self { app, first_password, stop, serving })
    }

    /// Where UI and API are served.
    pub fn address(&self) -> SocketAddr {
        self.app.api_address
    }

    pub fn agents_address(&self) -> SocketAddr {
        self.app.agents_address
    }

    /// What to open in a browser.
    pub fn url(&self) -> String {
        self.app.url()
    }

    /// Hexadecimal SHA-256 of the CA that leads to the certificate on the API port.
    pub fn ca_fingerprint(&self) -> &str {
        &self.app.pin
    }

    /// PEM of the hub's own CA.
    pub fn ca_certificate(&self) -> String {
        ca::pem(self.app.authority.certificate())
    }

    /// The first Owner's password, where this start made the account and the password: who gave one knows it.
    pub fn first_password(&self) -> Option<&str> {
        self.first_password.as_deref()
    }

    /// A token for the agents of this machine: a few registrations within minutes, no acceptance needed.
    pub async fn local_enrolment(&self) -> Result<String, seawall_store::Error> {
        let (digest, token) = enrolments::new_token(&self.app);
        let entry = NewAuditEntry {
            actor: "hub".to_owned(),
            action: "enrolment.create".to_owned(),
            target: ScopePath::root().to_string(),
            detail: json!({"local": true}),
        };
        let new = NewEnrolment {
            digest,
            scope: ScopePath::root(),
            expires: self.app.now() + LOCAL_ENROLMENT_LIFE,
            uses_allowed: LOCAL_ENROLMENTS,
            manual_accept: false,
            trusted: true,
        };
        self.app.store.audited(entry).create_enrolment(&new).await?;
        Ok(token)
    }

    /// The API over this hub's store with another table of permissions: how a test proves that each cell of
    /// [`PERMISSIONS`] is enforced. Requests have to bring their peer's address along.
    #[doc(hidden)]
    pub fn router(&self, permissions: Permissions) -> Router {
        let peer = serve::Peer { address: ([127, 0, 0, 1], 1).into(), certificate: None };
        api::router(self.app.with_permissions(permissions)).layer(axum::Extension(peer))
    }

    /// Lets answers under way finish, ends streams and tasks, closes the store.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        while self.serving.join_next().await.is_some() {}
        self.app.store.close().await;
    }
}

/// Gives a user a random password, to be changed at the next sign-in: the way back in. The first Owner gets a lost role
/// back as well. The hub must not be running on SQLite. `NoData` where the directory is not a hub's.
pub async fn reset_password(
    database: &Location,
    user: &str,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<Option<String>, seawall_store::Error> {
    let random = entropy.clone();
    let context = Context { clock, random: Arc::new(move || random.bytes()) };
    let store = Store::open_existing(database, context).await?;
    let Some(credential) = store.credential(user).await? else {
        store.close().await;
        return Ok(None);
    };
    let password = entropy.password();
    let hash = password::hash(&entropy, &password).await;
    let entry = NewAuditEntry {
        actor: "hub".to_owned(),
        action: "user.reset-password".to_owned(),
        target: credential.user.name.clone(),
        detail: json!({"command": true}),
    };
    let id = credential.user.id;
    store.audited(entry).set_password(id, &hash, true, None).await?;
    if credential.user.disabled {
        store.set_disabled(id, false, None).await?;
    }
    if credential.user.name == FIRST_OWNER {
        restore_owner(&store, id).await?;
    }
    store.close().await;
    Ok(Some(password))
}

async fn restore_owner(store: &Store, user: Id) -> Result<(), seawall_store::Error> {
    let principal = Principal::User { id: user };
    let held = store.roles_of(std::slice::from_ref(&principal)).await?;
    if held.iter().any(|held| held.role == Role::Owner && held.scope == ScopePath::root()) {
        return Ok(());
    }
    let entry = NewAuditEntry {
        actor: "hub".to_owned(),
        action: "role.create".to_owned(),
        target: ScopePath::root().to_string(),
        detail: json!({"command": true, "principal": &principal, "role": Role::Owner}),
    };
    let owner =
        NewAssignment { principal, role: Role::Owner, scope: ScopePath::root(), namespaces: None };
    store.audited(entry).assign_role(&owner).await?;
    Ok(())
}

async fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::Taken { address, option },
        _ => StartError::Listen { address, option, source },
    })
}

fn check_base_url(url: &str) -> Result<String, StartError> {
    let refused = || StartError::BaseUrl(url.to_owned());
    let host = url.strip_prefix("https://").ok_or_else(refused)?.trim_end_matches('/');
    // Browsers leave the default port out of `Origin`.
    let host = host.strip_suffix(":443").unwrap_or(host);
    let authority: http::uri::Authority = host.parse().map_err(|_| refused())?;
    let plain = !authority.host().is_empty() && !host.contains('@');
    plain.then(|| format!("https://{}", host.to_ascii_lowercase())).ok_or_else(refused)
}

#[test]
fn a_base_url_is_what_browsers_name_as_origin() {
    let check = |url, expected: Option<&str>| {
        assert_eq!(check_base_url(url).ok().as_deref(), expected, "{url}");
    };
    check("https://Hub.example/", Some("https://hub.example"));
    check("https://hub.example:443", Some("https://hub.example"));
    check("https://hub.example:443/", Some("https://hub.example"));
    check("https://[2001:db8::1]:443", Some("https://[2001:db8::1]"));
    check("https://hub.example:8443", Some("https://hub.example:8443"));
    check("https://:443", None);
    check("http://hub.example", None);
}

/// A CA of this database, made where there is none; of several hubs that start at once the first one's counts.
async fn load_authority(
    store: &Store,
    setting: &str,
    create: impl FnOnce() -> Result<AuthorityPem, CaError>,
) -> Result<AuthorityPem, StartError> {
    let damaged = |error: serde_json::Error| StartError::Authority { source: Box::new(error) };
    let pem = match store.setting(setting).await? {
        Some(pem) => pem,
        None => {
            let fresh = serde_json::to_vec(&create()?).map_err(damaged)?;
            store.setting_or_insert(setting, &fresh).await?
        }
    };
    serde_json::from_slice(&pem).map_err(damaged)
}

/// TLS of the API port, and the hash of the CA it leads to.
fn browser_tls(
    config: &Config,
    authority: &Authority,
    names: Vec<String>,
) -> Result<(ServerConfig, String), StartError> {
    let credentials: Credentials = match &config.tls {
        Some(files) => tls::read_credentials(&files.certificate, &files.key)?,
        None => authority.server(names, config.clock.now())?,
    };
    // The last certificate that is served leads the chain; one that is alone is its own CA.
    let root = credentials.chain.last().unwrap_or(authority.certificate());
    let pin = ca::fingerprint(root);
    Ok((tls::browser_config(credentials, config.clock.clone())?, pin))
}

/// The given names as certificates have them.
fn check_tls_names(names: &[String]) -> Result<Vec<String>, StartError> {
    if names.len() > MAX_TLS_NAMES {
        return Err(StartError::TlsNames);
    }
    let check = |name: &String| {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(address.to_string());
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let plain = name.strip_prefix("*.").unwrap_or(name);
        match name.len() <= 253 && plain.split('.').all(is_label) {
            true => Ok(name.to_ascii_lowercase()),
            false => Err(StartError::TlsName(name.chars().take(80).collect())),
        }
    };
    names.iter().map(check).collect()
}

#[test]
fn names_of_certificates_are_dns_names_or_addresses() {
    let check = |name: &str, expected: Option<&str>| {
        let checked = check_tls_names(&[name.to_owned()]).ok();
        assert_eq!(checked.as_ref().map(|names| names[0].as_str()), expected, "{name}");
    };
    check("Hub.Example", Some("hub.example"));
    check("seawall-hub.seawall.svc", Some("seawall-hub.seawall.svc"));
    check("*.hub.example", Some("*.hub.example"));
    check("10.0.0.1", Some("10.0.0.1"));
    check("2001:DB8::1", Some("2001:db8::1"));
    for no_name in ["", "https://hub", "hub:8443", "a..b", "-a", "hub.*", "häb", "a b"] {
        check(no_name, None);
    }
    assert!(check_tls_names(&vec!["hub".to_owned(); MAX_TLS_NAMES + 1]).is_err());
}

/// Names that the hub's own certificate is for.
fn server_names(listen: IpAddr, base_url: Option<&str>, further: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend_from_slice(further);
    if !listen.is_unspecified() && !listen.is_loopback() {
        names.push(listen.to_string());
    }
    let host = base_url.and_then(|url| url.strip_prefix("https://"));
    if let Some(Ok(authority)) = host.map(str::parse::<http::uri::Authority>) {
        names.push(authority.host().trim_matches(['[', ']']).to_owned());
    }
    names.sort();
    names.dedup();
    names
}

/// Makes the first account on an empty database. A password that is made here is returned this once.
async fn first_owner(
    store: &Store,
    entropy: &Arc<dyn Entropy>,
    given: Option<&str>,
) -> Result<Option<String>, StartError> {
    // Hashing takes its time: not on every start.
    if store.count::<User>(&Visible::system(), "").await? > 0 {
        return Ok(None);
    }
    let password = given.map_or_else(|| entropy.password(), str::to_owned);
    let entry = NewAuditEntry {
        actor: "hub".to_owned(),
        action: "user.create".to_owned(),
        target: FIRST_OWNER.to_owned(),
        detail: json!({"first": true, "role": Role::Owner}),
    };
    let new = NewUser {
        name: FIRST_OWNER.to_owned(),
        password_hash: password::hash(entropy, &password).await,
        must_change_password: true,
    };
    let made = store.audited(entry).create_first_owner(&new).await?;
    Ok(made.map(|_| password).filter(|_| given.is_none()))
}

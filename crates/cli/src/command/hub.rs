//! `seawall hub`: API, user interface and agents' listener.
use crate::exit::{Exit, Failure, Outcome};
use crate::output;
use seawall_hub::{Hub, Location, StartError, SystemEntropy, TlsFiles};
use seawall_model::time::SystemClock;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print the API's OpenAPI document
    Openapi,
    /// Give a user a new random password: the way back in (stop a hub on SQLite first)
    ResetPassword {
        /// Name of the user
        #[arg(default_value = seawall_hub::FIRST_OWNER)]
        user: String,
        #[command(flatten)]
        store: Store,
    },
}

/// Where the hub keeps its data.
#[derive(clap::Args, Clone)]
pub(crate) struct Store {
    /// Directory of the hub's data [default: /var/lib/seawall as root, else below the user's data]
    #[arg(long, env = "SEAWALL_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// PostgreSQL instead of SQLite in the data directory: postgres://USER@HOST/DATABASE
    #[arg(long, env = "SEAWALL_DATABASE", value_name = "URL")]
    pub(crate) database: Option<String>,
}

impl Store {
    pub(crate) fn directory(&self) -> PathBuf {
        self.data_dir.clone().unwrap_or_else(output::data_dir)
    }

    /// What to do where the store cannot be opened.
    fn help(&self) -> String {
        match &self.database {
            Some(_) => "check --database, and that PostgreSQL answers there".to_owned(),
            None => format!(
                "the data directory is {}; choose another with --data-dir, or end the hub that uses it",
                self.directory().display()
            ),
        }
    }

    fn location(&self) -> Result<Location, Failure> {
        match &self.database {
            Some(url) => url.parse().map_err(Failure::usage),
            None => Ok(Location::Directory(self.directory())),
        }
    }
}

#[derive(clap::Args, Clone)]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(crate) store: Store,
    /// Address of user interface and API
    #[arg(long, env = "SEAWALL_LISTEN", default_value = "127.0.0.1:8443", value_name = "ADDR")]
    pub(crate) listen: SocketAddr,
    /// Address for agents (mTLS) [default: port 8444 of the same host]
    #[arg(long, env = "SEAWALL_AGENTS", value_name = "ADDR")]
    pub(crate) agents: Option<SocketAddr>,
    /// Build the advisory index from the feeds in this directory
    #[arg(long, env = "SEAWALL_FEEDS", value_name = "ROOT")]
    pub(crate) feeds: Option<String>,
    /// Certificate chain (PEM) for browsers, instead of one by the hub's own CA
    #[arg(long, requires = "tls_key", value_name = "FILE")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key (PEM) of --tls-cert
    #[arg(long, requires = "tls_cert", value_name = "FILE")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Further name in the hub's own certificate, such as its Service's (repeatable)
    #[arg(long, env = "SEAWALL_TLS_NAMES", value_delimiter = ',', value_name = "NAME")]
    pub(crate) tls_name: Vec<String>,
    /// Take the first account's password from this file at the very first start, instead of a random one
    #[arg(long, value_name = "FILE")]
    pub(crate) first_password_file: Option<PathBuf>,
    /// `https://HOST[:PORT]` as browsers reach the hub through a proxy
    #[arg(long, env = "SEAWALL_BASE_URL", value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// Proxies, as addresses with a prefix length, whose X-Forwarded-For says who signs in [default: none]
    #[arg(long, env = "SEAWALL_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',')]
    pub(crate) trusted_proxy: Vec<ipnet::IpNet>,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let runtime = tokio::runtime::Runtime::new()?;
        match self.verb {
            None => runtime.block_on(serve(self.serve)),
            Some(Verb::Openapi) => {
                output::print_json(&seawall_hub::openapi())?;
                Ok(Exit::Pass)
            }
            Some(Verb::ResetPassword { user, store }) => {
                runtime.block_on(reset_password(&user, &store))
            }
        }
    }
}

impl Serve {
    /// Builds the index if feeds are given, then starts the hub.
    pub(crate) async fn start(&self) -> Result<Hub, Failure> {
        let directory = self.store.directory();
        std::fs::create_dir_all(&directory).map_err(|error| {
            let context = format!("cannot make the data directory {}", directory.display());
            Failure::could_not_run(anyhow::Error::new(error).context(context))
                .with_help("choose a directory you may write to with --data-dir")
        })?;
        let index = directory.join("index");
        if let Some(feeds) = &self.feeds {
            build_index(feeds, &index).await?;
        }
        let agents_port = if self.listen.port() == 0 { 0 } else { 8444 };
        let config = seawall_hub::Config {
            database: self.store.location()?,
            listen: self.listen,
            agents_listen: self.agents.unwrap_or((self.listen.ip(), agents_port).into()),
            index,
            tls: self
                .tls_cert
                .clone()
                .zip(self.tls_key.clone())
                .map(|(certificate, key)| TlsFiles { certificate, key }),
            tls_names: self.tls_name.clone(),
            first_password: self.first_password()?,
            base_url: self.base_url.clone(),
            trusted_proxies: self.trusted_proxy.clone(),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        };
        Hub::start(config).await.map_err(|error| match error {
            StartError::Store(_) => Failure::could_not_run(error).with_help(self.store.help()),
            StartError::TlsName(_) | StartError::TlsNames => Failure::usage(error),
            error => Failure::could_not_run(error),
        })
    }

    /// None where the file is gone: it is a Secret that may be deleted after the first start.
    fn first_password(&self) -> Result<Option<String>, Failure> {
        let Some(file) = &self.first_password_file else { return Ok(None) };
        match std::fs::read_to_string(file) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                let context = format!("cannot read the first password from {}", file.display());
                Err(Failure::could_not_run(anyhow::Error::new(error).context(context)))
            }
        }
    }
}

async fn serve(serve: Serve) -> Outcome {
    let hub = serve.start().await?;
    output::print("Seawall hub is running.\n")?;
    output::print(&banner(&hub))?;
    output::print(&format!("  agents    {}\n\nCtrl-C ends it.\n", hub.agents_address()))?;
    ended().await?;
    hub.shutdown().await;
    Ok(Exit::Pass)
}

/// Address, fingerprint and, once, the first password.
pub(crate) fn banner(hub: &Hub) -> String {
    let mut text =
        format!("  open      {}\n  CA        sha256:{}\n", hub.url(), hub.ca_fingerprint());
    if let Some(password) = hub.first_password() {
        text += &format!(
            "  sign in   {} / {password}   (shown this once; you choose your own at the first sign-in)\n",
            seawall_hub::FIRST_OWNER
        );
    }
    text
}

/// Waits for Ctrl-C or SIGTERM. From the first call on none is missed: between two calls the program is busy, not deaf.
pub(crate) async fn ended() -> Result<(), Failure> {
    static ENDED: OnceLock<watch::Receiver<bool>> = OnceLock::new();
    let mut seen = match ENDED.get() {
        Some(seen) => seen.clone(),
        None => {
            let mut terminate = signal(SignalKind::terminate())?;
            let mut interrupt = signal(SignalKind::interrupt())?;
            let (sender, seen) = watch::channel(false);
            tokio::spawn(async move {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                }
                sender.send_replace(true);
                sender.closed().await;
            });
            ENDED.get_or_init(|| seen).clone()
        }
    };
    seen.wait_for(|ended| *ended).await.map_err(Failure::could_not_run)?;
    Ok(())
}

/// Feeds into the index that the hub reads; a refused feed leaves the old segments and says so.
async fn build_index(feeds: &str, index: &Path) -> Result<(), Failure> {
    let roots = seawall_feeds::Roots::below(feeds).map_err(Failure::usage)?;
    let (index, feeds) = (index.to_owned(), feeds.to_owned());
    let built = tokio::task::spawn_blocking(move || {
        seawall_feeds::build(&roots, &seawall_feeds::ALL, &index)
    });
    let report = built.await.map_err(Failure::could_not_run)?.map_err(|error| {
        Failure::could_not_run(error)
            .with_help("name a directory with feeds, such as osv/, with --feeds")
    })?;
    output::print_problems(&report.problems, output::Format::Table);
    if report.failed() {
        let message = format!("the feeds below {feeds} could not be used");
        return Err(Failure::could_not_run(anyhow::anyhow!(message)));
    }
    Ok(())
}

async fn reset_password(user: &str, store: &Store) -> Outcome {
    let location = store.location()?;
    let reset = seawall_hub::reset_password(
        &location,
        user,
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
    );
    let failed = |error| Failure::could_not_run(error).with_help(store.help());
    let Some(password) = reset.await.map_err(failed)? else {
        return Err(Failure::usage(anyhow::anyhow!("there is no user `{user}`")));
    };
    output::print(&format!("{user} / {password}   (to be changed at the next sign-in)\n"))?;
    Ok(Exit::Pass)
}

//! From a kubeconfig, or the pod's own service account, to an identified cluster.
use kube::api::{Api, ApiResource, DynamicObject};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use std::path::PathBuf;
use std::time::Duration;

/// A cluster that does not answer in this time is not there; `seawall up` waits for it at start.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where the cluster is.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// `None`: `$KUBECONFIG`, `~/.kube/config`, else the pod's service account.
    pub kubeconfig: Option<PathBuf>,
    /// `None`: the file's current context.
    pub context: Option<String>,
}

/// A cluster that answered.
#[derive(Clone)]
pub struct Connection {
    pub(crate) client: Client,
    /// Of the API server.
    pub url: String,
    /// UID of the `kube-system` namespace, which names a cluster for as long as it lives.
    pub uid: String,
    /// `v1.36.3`.
    pub version: String,
    /// What the kubeconfig calls the cluster; a pod's service account knows no name.
    pub name: Option<String>,
}

impl Connection {
    /// For what asks for less than a connection has.
    pub fn reached(&self) -> Reached {
        Reached {
            client: self.client.clone(),
            url: self.url.clone(),
            version: self.version.clone(),
            name: self.name.clone(),
        }
    }
}

/// A cluster that answered and was not asked who it is, which needs more than the right to list.
#[derive(Clone)]
pub struct Reached {
    pub(crate) client: Client,
    /// Of the API server.
    pub url: String,
    /// `v1.36.3`.
    pub version: String,
    /// What the kubeconfig calls the cluster; a pod's service account knows no name.
    pub name: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("cannot read kubeconfig {path}")]
    ReadKubeconfig { path: String, source: kube::config::KubeconfigError },
    #[error("no usable kubeconfig and not in a cluster")]
    FindConfig(#[source] kube::config::InferConfigError),
    #[error("cannot make a client for {url}")]
    BuildClient { url: String, source: kube::Error },
    #[error("{url} does not answer")]
    AskVersion { url: String, source: kube::Error },
    #[error("{url} does not answer within {} s", CONNECT_TIMEOUT.as_secs())]
    Timeout { url: String },
    #[error("cannot read namespace kube-system of {url}, whose UID names the cluster")]
    Identify { url: String, source: kube::Error },
    #[error("namespace kube-system of {url} has no UID")]
    NoUid { url: String },
}

/// Connects and asks for version and identity; the latter needs `get` on namespaces.
pub async fn connect(target: &Target) -> Result<Connection, ConnectError> {
    let (client, url, name) = client(target).await?;
    let identify = async { Ok((version(&client, &url).await?, identify(&client, &url).await?)) };
    let (version, uid) = tokio::time::timeout(CONNECT_TIMEOUT, identify)
        .await
        .map_err(|_| ConnectError::Timeout { url: url.clone() })??;
    Ok(Connection { client, url, uid, version, name })
}

/// Connects and asks for the version, which everybody may ask for.
pub async fn reach(target: &Target) -> Result<Reached, ConnectError> {
    let (client, url, name) = client(target).await?;
    let version = tokio::time::timeout(CONNECT_TIMEOUT, version(&client, &url))
        .await
        .map_err(|_| ConnectError::Timeout { url: url.clone() })??;
    Ok(Reached { client, url, version, name })
}

/// A client, the server's URL and the cluster's name.
async fn client(target: &Target) -> Result<(Client, String, Option<String>), ConnectError> {
    let mut name = None;
    let mut config = match &target.kubeconfig {
        Some(path) => {
            let failed =
                |source| ConnectError::ReadKubeconfig { path: path.display().to_string(), source };
            let kubeconfig = Kubeconfig::read_from(path).map_err(failed)?;
            name = cluster_name(&kubeconfig, target.context.as_deref());
            let options = KubeConfigOptions {
                context: target.context.clone(),
                ..KubeConfigOptions::default()
            };
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(failed)?
        }
        None if target.context.is_some() => {
            let options = KubeConfigOptions {
                context: target.context.clone(),
                ..KubeConfigOptions::default()
            };
            let failed =
                |source| ConnectError::ReadKubeconfig { path: "$KUBECONFIG".to_owned(), source };
            Config::from_kubeconfig(&options).await.map_err(failed)?
        }
        None => Config::infer().await.map_err(ConnectError::FindConfig)?,
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    let url = config.cluster_url.to_string();
    let client = Client::try_from(config)
        .map_err(|source| ConnectError::BuildClient { url: url.clone(), source })?;
    Ok((client, url, name))
}

/// The cluster of the context, by default the current one.
fn cluster_name(kubeconfig: &Kubeconfig, context: Option<&str>) -> Option<String> {
    let wanted = context.or(kubeconfig.current_context.as_deref())?;
    let context = kubeconfig.contexts.iter().find(|context| context.name == wanted)?;
    context.context.as_ref().map(|context| context.cluster.clone())
}

async fn version(client: &Client, url: &str) -> Result<String, ConnectError> {
    let version = client.apiserver_version().await;
    let version =
        version.map_err(|source| ConnectError::AskVersion { url: url.to_owned(), source })?;
    Ok(version.git_version)
}

async fn identify(client: &Client, url: &str) -> Result<String, ConnectError> {
    let namespaces = crate::watch::resource(&crate::Kind::new("v1", "Namespace", "namespaces"));
    let api: Api<DynamicObject> = Api::all_with(client.clone(), &namespaces as &ApiResource);
    let system = api.get("kube-system").await;
    let system = system.map_err(|source| ConnectError::Identify { url: url.to_owned(), source })?;
    system.metadata.uid.ok_or_else(|| ConnectError::NoUid { url: url.to_owned() })
}

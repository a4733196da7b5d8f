//! Lists kinds once, for a scan: with the right to list alone. What may not be read is told, never silence.
use crate::connect::Reached;
use crate::watch::{Kind, chain, compact, resource};
use futures::StreamExt;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::TypeMeta;
use kube::discovery::{Discovery, Scope, verbs};
use std::collections::BTreeMap;
use std::time::Duration;

/// Objects per page: a server holds a page in memory while it writes it.
const PAGE: u32 = 500;
/// Kinds listed at once; API servers queue requests of one client over some ten.
const PARALLEL: usize = 4;
/// One page of large objects over a slow line.
const DEADLINE: Duration = Duration::from_secs(60);
/// Objects of all kinds together; the largest supported clusters have 150,000 pods.
const MAX_OBJECTS: usize = 500_000;
/// Times a list that grew too old between two pages begins again.
const RESTARTS: usize = 3;

/// What a list brought.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// JSON without managed fields and kubectl's last-applied annotation, kind by kind in the order asked for.
    pub objects: Vec<Vec<u8>>,
    pub refused: Vec<Refused>,
}

/// A kind that could not be read, or not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub kind: Kind,
    /// `forbidden`, `timeout`, `limit` or `error`.
    pub reason: &'static str,
    pub message: String,
}

#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    #[error("{url} does not tell which kinds it has")]
    Ask { url: String, source: kube::Error },
    #[error("{url} does not tell which kinds it has within {} s", DEADLINE.as_secs())]
    Timeout { url: String },
}

/// One resource as the server serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) group: String,
    /// Those it is served in, the most stable first.
    pub(crate) versions: Vec<String>,
    pub(crate) kind: String,
    pub(crate) plural: String,
    /// `status`, `scale`, …
    pub(crate) subresources: Vec<String>,
    pub(crate) namespaced: bool,
    /// Objects of it can be made, changed or deleted.
    pub(crate) writable: bool,
}

/// Every kind that the server can list, each in its most stable version; Secrets are left out.
pub async fn kinds(reached: &Reached) -> Result<Vec<Kind>, DiscoverError> {
    let discovery = discover(reached).await?;
    let mut kinds = Vec::new();
    for group in discovery.groups_alphabetical() {
        for (resource, capabilities) in group.resources_by_stability() {
            if capabilities.supports_operation(verbs::LIST)
                && !is_secret(&resource.group, &resource.kind)
            {
                kinds.push(Kind::new(&resource.api_version, &resource.kind, &resource.plural));
            }
        }
    }
    kinds.sort_by(|a, b| (&a.api_version, &a.kind).cmp(&(&b.api_version, &b.kind)));
    Ok(kinds)
}

/// Every resource of the server with its subresources, by group and plural.
pub(crate) async fn served(reached: &Reached) -> Result<Vec<Served>, DiscoverError> {
    let discovery = discover(reached).await?;
    let mut served: BTreeMap<(String, String), Served> = BTreeMap::new();
    for group in discovery.groups() {
        for version in group.versions() {
            for (resource, capabilities) in group.versioned_resources(version) {
                let one = served
                    .entry((group.name().to_owned(), resource.plural.clone()))
                    .or_insert_with(|| Served {
                        group: group.name().to_owned(),
                        kind: resource.kind,
                        plural: resource.plural,
                        namespaced: capabilities.scope == Scope::Namespaced,
                        ..Served::default()
                    });
                one.versions.push(version.to_owned());
                one.writable |= [verbs::CREATE, verbs::UPDATE, verbs::PATCH, verbs::DELETE]
                    .iter()
                    .any(|verb| capabilities.supports_operation(verb));
                for (below, _) in capabilities.subresources {
                    if !one.subresources.contains(&below.plural) {
                        one.subresources.push(below.plural);
                    }
                }
            }
        }
    }
    Ok(served.into_values().collect())
}

async fn discover(reached: &Reached) -> Result<Discovery, DiscoverError> {
    let asking = async {
        // Servers before 1.26 do not know the short way, and answer it with another document that names nothing.
        match Discovery::new(reached.client.clone()).run_aggregated().await {
            Ok(discovery) if discovery.groups().next().is_some() => Ok(discovery),
            _ => Discovery::new(reached.client.clone()).run().await,
        }
    };
    let url = || reached.url.clone();
    tokio::time::timeout(DEADLINE, asking)
        .await
        .map_err(|_| DiscoverError::Timeout { url: url() })?
        .map_err(|source| DiscoverError::Ask { url: url(), source })
}

fn is_secret(group: &str, kind: &str) -> bool {
    group.is_empty() && kind == "Secret"
}

/// All objects of these kinds. Secrets are refused without being asked for.
pub async fn list(reached: &Reached, kinds: &[Kind]) -> Listing {
    let pages = futures::stream::iter(kinds.iter().map(|kind| one(reached, kind)));
    let mut listing = Listing::default();
    let mut answers = pages.buffered(PARALLEL);
    while let Some((objects, refused)) = answers.next().await {
        listing.refused.extend(refused);
        listing.objects.extend(objects);
    }
    listing
}

async fn one(reached: &Reached, kind: &Kind) -> (Vec<Vec<u8>>, Option<Refused>) {
    let refused = |reason, message: String| Some(Refused { kind: kind.clone(), reason, message });
    if kind.api_version == "v1" && kind.kind == "Secret" {
        return (Vec::new(), refused("forbidden", "Secrets are never read".to_owned()));
    }
    let mut restarts = 0;
    loop {
        match pages(reached, kind).await {
            Ok(objects) => return (objects, None),
            Err(Failed::Api(kube::Error::Api(status)))
                if status.code == 410 && restarts < RESTARTS =>
            {
                restarts += 1;
            }
            Err(Failed::Api(kube::Error::Api(status))) => {
                let reason = if matches!(status.code, 401 | 403) { "forbidden" } else { "error" };
                return (Vec::new(), refused(reason, status.message));
            }
            Err(Failed::Api(error)) => return (Vec::new(), refused("error", chain(&error))),
            Err(Failed::Timeout) => {
                let message = format!("no answer within {} s", DEADLINE.as_secs());
                return (Vec::new(), refused("timeout", message));
            }
            Err(Failed::Limit) => {
                let message = format!("more than {MAX_OBJECTS} objects");
                return (Vec::new(), refused("limit", message));
            }
        }
    }
}

enum Failed {
    Api(kube::Error),
    Timeout,
    Limit,
}

async fn pages(reached: &Reached, kind: &Kind) -> Result<Vec<Vec<u8>>, Failed> {
    let types = TypeMeta { api_version: kind.api_version.clone(), kind: kind.kind.clone() };
    let api: Api<DynamicObject> = Api::all_with(reached.client.clone(), &resource(kind));
    let mut objects = Vec::new();
    let mut params = ListParams::default().limit(PAGE);
    loop {
        let page = tokio::time::timeout(DEADLINE, api.list(&params))
            .await
            .map_err(|_| Failed::Timeout)?
            .map_err(Failed::Api)?;
        for object in page.items {
            objects.push(
                compact(object, &types)
                    .map_err(|error| Failed::Api(kube::Error::SerdeError(error)))?,
            );
        }
        if objects.len() > MAX_OBJECTS {
            return Err(Failed::Limit);
        }
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(objects),
        }
    }
}

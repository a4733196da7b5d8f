//! Lists kinds once, for a scan: with the right to list alone. What may not be read is told, never silence.
use crate::connect::Reached;
use crate::discovery::{DiscoverError, ask};
use crate::watch::{Kind, chain, compact, resource};
use futures::StreamExt;
use kube::api::{Api, DynamicObject, ListParams};
use kube::core::TypeMeta;
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

/// Every kind that the server can list, each in its most stable version; Secrets are left out.
pub async fn kinds(reached: &Reached) -> Result<Vec<Kind>, DiscoverError> {
    Ok(ask(reached).await?.kinds().to_vec())
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

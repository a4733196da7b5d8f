//! What the API server serves, asked again and again: definitions come and go.
use crate::connect::{Connection, Reached};
use crate::watch::{Kind, chain};
use kube::discovery::{ApiGroup, Discovery, Scope, verbs};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How often the server is asked: one or two requests of some 100 KB.
pub const ASK_EVERY: Duration = Duration::from_secs(60);
/// Two documents over a slow line.
const DEADLINE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    #[error("{url} does not tell which kinds it has")]
    Ask { url: String, source: kube::Error },
    #[error("{url} does not tell which kinds it has within {} s", DEADLINE.as_secs())]
    Timeout { url: String },
}

/// One resource as the server serves it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resource {
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
    pub(crate) listable: bool,
}

/// Everything that a server serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// By group and plural.
    pub(crate) resources: Vec<Resource>,
    /// Kinds that can be listed, each in its most stable version, without Secrets.
    kinds: Vec<Kind>,
    /// `apiVersion`s of which the server names no kind: those of an aggregated server that is away.
    silent: BTreeSet<String>,
}

/// A kind as it is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedKind {
    pub kind: Kind,
    pub namespaced: bool,
    /// Its objects can be read; those of Secrets never are.
    pub listable: bool,
}

/// What the server said last.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// None before the first answer; what was known before holds while the server does not say.
    pub served: Option<Arc<Served>>,
    /// Why the last question has no answer.
    pub error: Option<String>,
}

impl Served {
    /// Every kind that the server can list, each in its most stable version; Secrets are left out.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// Every kind in every version.
    pub fn all(&self) -> impl Iterator<Item = ServedKind> {
        self.resources.iter().flat_map(|resource| {
            let Resource { group, kind, plural, namespaced, listable, .. } = resource;
            let listable = *listable && !is_secret(group, kind);
            resource.versions.iter().map(move |version| ServedKind {
                kind: Kind::new(&api_version(group, version), kind, plural),
                namespaced: *namespaced,
                listable,
            })
        })
    }

    fn of(discovery: &Discovery) -> Self {
        let mut served = Self::default();
        for group in discovery.groups_alphabetical() {
            let (resources, silent) = resources(group);
            served.resources.extend(resources);
            served.silent.extend(silent);
            for (resource, capabilities) in group.resources_by_stability() {
                if capabilities.supports_operation(verbs::LIST)
                    && !is_secret(&resource.group, &resource.kind)
                {
                    let kind = Kind::new(&resource.api_version, &resource.kind, &resource.plural);
                    served.kinds.push(kind);
                }
            }
        }
        served.sort();
        served
    }

    fn sort(&mut self) {
        self.resources.sort_by(|a, b| (&a.group, &a.plural).cmp(&(&b.group, &b.plural)));
        self.kinds.sort_by(|a, b| (&a.api_version, &a.kind).cmp(&(&b.api_version, &b.kind)));
    }

    /// An aggregated server that is away has not lost its kinds: of what it is silent about, `before` holds.
    fn keep_silent(&mut self, before: &Self) {
        let silent = |version: &String| self.silent.contains(version);
        let known = |kind: &&Kind| {
            let own = |own: &Kind| group_of(own) == group_of(kind) && own.kind == kind.kind;
            silent(&kind.api_version) && !self.kinds.iter().any(own)
        };
        let kept: Vec<Kind> = before.kinds.iter().filter(known).cloned().collect();
        self.kinds.extend(kept);
        for resource in &before.resources {
            let (group, plural) = (&resource.group, &resource.plural);
            let kept = resource.versions.iter();
            let kept = kept.filter(|version| self.silent.contains(&api_version(group, version)));
            let kept: Vec<String> = kept.cloned().collect();
            if kept.is_empty() {
                continue;
            }
            let own = |own: &&mut Resource| (&own.group, &own.plural) == (group, plural);
            match self.resources.iter_mut().find(own) {
                Some(own) => own.versions.extend(kept),
                None => {
                    self.resources.push(Resource { versions: kept, ..resource.clone() });
                }
            }
        }
        self.sort();
    }
}

/// Resources of a group, and its versions that name none.
fn resources(group: &ApiGroup) -> (Vec<Resource>, Vec<String>) {
    let mut resources: BTreeMap<String, Resource> = BTreeMap::new();
    let mut silent = Vec::new();
    for version in group.versions() {
        let of_version = group.versioned_resources(version);
        if of_version.is_empty() {
            silent.push(api_version(group.name(), version));
        }
        for (resource, capabilities) in of_version {
            let one = resources.entry(resource.plural.clone()).or_insert_with(|| Resource {
                group: group.name().to_owned(),
                kind: resource.kind,
                plural: resource.plural,
                namespaced: capabilities.scope == Scope::Namespaced,
                ..Resource::default()
            });
            one.versions.push(version.to_owned());
            let supports = |verb: &&str| capabilities.supports_operation(verb);
            one.writable |=
                [verbs::CREATE, verbs::UPDATE, verbs::PATCH, verbs::DELETE].iter().any(supports);
            one.listable |= supports(&verbs::LIST);
            for (below, _) in capabilities.subresources {
                if !one.subresources.contains(&below.plural) {
                    one.subresources.push(below.plural);
                }
            }
        }
    }
    (resources.into_values().collect(), silent)
}

/// Asks once.
pub async fn ask(reached: &Reached) -> Result<Served, DiscoverError> {
    let asking = async {
        // Servers before 1.26 do not know the short way, and answer it with another document that names nothing.
        match Discovery::new(reached.client.clone()).run_aggregated().await {
            Ok(discovery) if discovery.groups().next().is_some() => Ok(discovery),
            _ => Discovery::new(reached.client.clone()).run().await,
        }
    };
    let url = || reached.url.clone();
    let discovery = tokio::time::timeout(DEADLINE, asking)
        .await
        .map_err(|_| DiscoverError::Timeout { url: url() })?
        .map_err(|source| DiscoverError::Ask { url: url(), source })?;
    Ok(Served::of(&discovery))
}

/// Asks at once where nothing is known, then again and again, as long as somebody follows.
pub fn keep_asking(
    connection: &Connection,
    known: Option<Served>,
    every: Duration,
) -> watch::Receiver<Asked> {
    let asks_at_once = known.is_none();
    let (sender, receiver) = watch::channel(Asked { served: known.map(Arc::new), error: None });
    let reached = connection.reached();
    tokio::spawn(async move {
        let mut wait = if asks_at_once { Duration::ZERO } else { every };
        loop {
            tokio::select! {
                () = sender.closed() => return,
                () = tokio::time::sleep(wait) => {}
            }
            hear(&sender, ask(&reached).await);
            wait = every;
        }
    });
    receiver
}

fn hear(sender: &watch::Sender<Asked>, answer: Result<Served, DiscoverError>) {
    sender.send_if_modified(|asked| match answer {
        Ok(mut served) => {
            if let Some(before) = &asked.served {
                served.keep_silent(before);
            }
            let same = asked.served.as_deref() == Some(&served);
            let recovered = asked.error.take().is_some();
            if !same {
                asked.served = Some(Arc::new(served));
            }
            !same || recovered
        }
        Err(error) => {
            let error = Some(chain(&error));
            let changed = asked.error != error;
            if changed {
                tracing::warn!(error = error.as_deref(), "served kinds are not known anew");
                asked.error = error;
            }
            changed
        }
    });
}

fn api_version(group: &str, version: &str) -> String {
    match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    }
}

fn group_of(kind: &Kind) -> &str {
    kind.api_version.split_once('/').map_or("", |(group, _)| group)
}

fn is_secret(group: &str, kind: &str) -> bool {
    group.is_empty() && kind == "Secret"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(kinds: &[(&str, &str)], silent: &[&str]) -> Served {
        let mut served = Served::default();
        for (version, kind) in kinds {
            let (group, short) = version.split_once('/').unwrap_or(("", version));
            let plural = format!("{}s", kind.to_lowercase());
            served.kinds.push(Kind::new(version, kind, &plural));
            served.resources.push(Resource {
                group: group.to_owned(),
                versions: vec![short.to_owned()],
                kind: (*kind).to_owned(),
                plural,
                listable: true,
                ..Resource::default()
            });
        }
        served.silent.extend(silent.iter().map(ToString::to_string));
        served
    }

    #[track_caller]
    fn check(before: Served, now: Served, expected: &[&str]) {
        let (sender, receiver) = watch::channel(Asked::default());
        hear(&sender, Ok(before));
        hear(&sender, Ok(now));
        let served = receiver.borrow().served.clone().unwrap();
        let name = |kind: &Kind| format!("{} {}", kind.api_version, kind.kind);
        assert_eq!(served.kinds().iter().map(name).collect::<Vec<_>>(), expected);
        let mut all: Vec<String> = served.all().map(|served| name(&served.kind)).collect();
        all.sort();
        assert_eq!(all, expected);
    }

    #[test]
    fn a_server_that_is_away_has_not_lost_its_kinds() {
        let both = || served(&[("calico/v3", "Policy"), ("v1", "Pod")], &[]);
        check(both(), served(&[("v1", "Pod")], &[]), &["v1 Pod"]);
        check(both(), served(&[("v1", "Pod")], &["calico/v3"]), &["calico/v3 Policy", "v1 Pod"]);
        check(
            both(),
            served(&[("calico/v4", "Policy"), ("v1", "Pod")], &[]),
            &["calico/v4 Policy", "v1 Pod"],
        );
    }

    #[test]
    fn only_news_is_told() {
        let (sender, mut receiver) = watch::channel(Asked::default());
        let mut told = |answer| {
            hear(&sender, answer);
            let changed = receiver.has_changed().unwrap();
            receiver.mark_unchanged();
            (changed, receiver.borrow().served.is_some(), receiver.borrow().error.is_some())
        };
        let timeout = || Err(DiscoverError::Timeout { url: "u".to_owned() });
        let pods = || Ok(served(&[("v1", "Pod")], &[]));
        assert_eq!(told(timeout()), (true, false, true));
        assert_eq!(told(pods()), (true, true, false));
        assert_eq!(told(pods()), (false, true, false));
        assert_eq!(told(timeout()), (true, true, true));
        assert_eq!(told(timeout()), (false, true, true));
        assert_eq!(told(pods()), (true, true, false));
    }

    #[test]
    fn secrets_are_served_and_never_read() {
        let secrets = served(&[("v1", "Secret"), ("other/v1", "Secret")], &[]);
        let listable: Vec<bool> = secrets.all().map(|served| served.listable).collect();
        assert_eq!(listable, [false, true]);
    }
}

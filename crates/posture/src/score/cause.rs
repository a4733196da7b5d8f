//! Why a score moved, in one line.
use seawall_model::finding::State;

/// One finding whose state moved; `None` is not there.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub title: &'a str,
    /// `Deployment/web`.
    pub resource: &'a str,
    pub from: Option<State>,
    pub to: Option<State>,
}

/// Why a score moved, in one line: `1 resource became unhealthy: Privileged container (Deployment/web)`.
/// The worst kind of move speaks first; `None` where nothing that counts moved.
pub fn cause(changes: &[Change<'_>]) -> Option<String> {
    type Moved = fn(&Change<'_>) -> bool;
    let moves: [(&str, Moved); 5] = [
        ("became unhealthy", |c| c.to == Some(State::Unhealthy)),
        ("became unknown", |c| c.to == Some(State::Unknown)),
        ("became healthy", |c| c.to == Some(State::Healthy) && c.from.is_some()),
        ("left the score", |c| {
            matches!(c.to, Some(State::Exempt | State::NotApplicable))
                || (c.to.is_none() && c.from.is_some())
        }),
        ("was added healthy", |c| c.to == Some(State::Healthy)),
    ];
    let mut lines = Vec::new();
    let mut told = std::collections::BTreeSet::new();
    let moved: Vec<&Change<'_>> =
        changes.iter().filter(|change| change.from != change.to).collect();
    for (what, is) in moves {
        let of_kind: Vec<_> = moved.iter().filter(|change| is(change)).collect();
        let resources: std::collections::BTreeSet<&str> = of_kind
            .iter()
            .map(|change| change.resource)
            .filter(|resource| !told.contains(resource))
            .collect();
        let Some(first) = of_kind.iter().find(|change| resources.contains(change.resource)) else {
            continue;
        };
        let noun = if resources.len() == 1 { "resource" } else { "resources" };
        let more = if resources.len() > 1 {
            format!(" and {} more", resources.len() - 1)
        } else {
            String::new()
        };
        lines.push(format!(
            "{} {noun} {what}: {} ({}){more}",
            resources.len(),
            first.title,
            first.resource
        ));
        told.extend(resources);
    }
    (!lines.is_empty()).then(|| lines.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use State::{Healthy, Unhealthy};

    #[test]
    fn causes() {
        let change = |title, resource, from, to| Change { title, resource, from, to };
        let (u, h) = (Some(Unhealthy), Some(Healthy));
        let privileged = change("Privileged container", "Deployment/web", None, u);
        assert_eq!(
            cause(&[privileged]).as_deref(),
            Some("1 resource became unhealthy: Privileged container (Deployment/web)")
        );
        let healed = change("Host directory", "Deployment/db", u, h);
        let gone = change("Host directory", "Pod/x", u, None);
        assert_eq!(
            cause(&[healed, gone, privileged, change("No limits", "Deployment/api", h, u)])
                .as_deref(),
            Some(
                "2 resources became unhealthy: Privileged container (Deployment/web) and 1 more; 1 resource became healthy: Host directory (Deployment/db); 1 resource left the score: Host directory (Pod/x)"
            )
        );
        assert_eq!(cause(&[change("x", "y", u, u)]), None);
    }
}

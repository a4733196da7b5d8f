//! Services of Ubuntu Pro that a system is subscribed to: `esm-infra`, `esm-apps`, `fips` and others.
//! Source: ubuntu-pro-client, `status.json` and the apt sources that `pro enable` writes; sources.list(5).
//!
//! Both are written by `pro enable` and taken away by `pro disable`. A version's `+esm` tells less: not which of the two
//! services it came from, nor whether the subscription went on. `var/lib/ubuntu-advantage/apt-esm` tells nothing, for
//! it is there on machines without a subscription, to count what one would bring.
use crate::prelude::*;
use serde::Deserialize;

pub(crate) static SOURCES: Extractor = Extractor {
    id: "ubuntu-pro-sources",
    title: "Ubuntu Pro apt sources",
    route: Route::Files(&[
        "etc/apt/sources.list.d/ubuntu-*.list",
        "etc/apt/sources.list.d/ubuntu-*.sources",
    ]),
    max_bytes: MIB, // A few lines.
    extract: Extract::Text(extract_sources),
};

pub(crate) static STATUS: Extractor = Extractor {
    id: "ubuntu-pro-status",
    title: "Ubuntu Pro status",
    route: Route::Files(&["var/lib/ubuntu-advantage/status.json"]),
    max_bytes: MIB, // 10 KiB.
    extract: Extract::Bytes(extract_status),
};

/// The archive of all services, each a folder of it.
const ARCHIVE: &str = "esm.ubuntu.com/";
/// Folders that are named otherwise than their service.
const RENAMED: [(&str, &str); 2] = [("infra", "esm-infra"), ("apps", "esm-apps")];

/// The one form is a line of `deb [options] URI suite …`; the other are fields, with blank lines between stanzas.
fn extract_sources(text: &str, found: &mut Found) {
    for stanza in text.split("\n\n") {
        let field = |line: &str, name: &str| {
            line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        let disabled = stanza.lines().any(|line| {
            let value = line.split_once(':').map(|(_, value)| value.trim().to_ascii_lowercase());
            field(line, "Enabled:") && value.is_some_and(|value| value == "no" || value == "false")
        });
        for line in stanza.lines().filter(|_| !disabled) {
            if field(line, "deb ") || field(line, "URIs:") {
                found.repositories.extend(line.split_whitespace().filter_map(service));
            }
        }
    }
    found.repositories.dedup();
}

/// `https://esm.ubuntu.com/apps/ubuntu` is `esm-apps`.
fn service(uri: &str) -> Option<String> {
    let (_, place) = uri.split_once("://")?;
    // A password may stand before the host.
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let folder =
        place.strip_prefix(ARCHIVE)?.split('/').next().filter(|folder| !folder.is_empty())?;
    let renamed = RENAMED.iter().find(|(own, _)| *own == folder).map(|(_, service)| *service);
    Some(renamed.unwrap_or(folder).to_owned())
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    attached: bool,
    #[serde(default)]
    services: Vec<Service>,
}

#[derive(Deserialize)]
struct Service {
    name: String,
    /// `enabled`, `disabled`, `n/a`; absent where there is no subscription.
    status: Option<String>,
}

fn extract_status(bytes: &[u8], found: &mut Found) {
    match serde_json::from_slice::<Status>(bytes) {
        Ok(status) if status.attached => {
            let enabled = status.services.into_iter();
            let enabled = enabled.filter(|service| service.status.as_deref() == Some("enabled"));
            found.repositories.extend(enabled.map(|service| service.name));
        }
        Ok(_) => {}
        Err(error) => {
            found.note("malformed-pro-status", format!("not a status of Ubuntu Pro: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(extractor: &Extractor, text: &str, expected: &str) {
        let found = extractor.run(text.as_bytes());
        assert_eq!(found.repositories.join(" "), expected);
    }

    #[test]
    fn sources() {
        let list = "# Written by ubuntu-pro-client\n\ndeb https://esm.ubuntu.com/infra/ubuntu jammy-infra-security main\n\
            # deb-src https://esm.ubuntu.com/infra/ubuntu jammy-infra-security main\n";
        check(&SOURCES, list, "esm-infra");
        check(&SOURCES, &list.replace("\ndeb ", "\n# deb "), "");
        let deb822 = "# Written by ubuntu-pro-client\nTypes: deb\nURIs: https://esm.ubuntu.com/apps/ubuntu\n\
            Suites: noble-apps-security noble-apps-updates\nComponents: main\n";
        check(&SOURCES, deb822, "esm-apps");
        check(&SOURCES, &format!("Enabled: no\n{deb822}"), "");
        check(&SOURCES, &format!("Enabled: no\n{deb822}\n{deb822}"), "esm-apps");
        check(
            &SOURCES,
            "deb [arch=amd64] https://bearer:x@esm.ubuntu.com/fips-updates/ubuntu jammy-updates main\n",
            "fips-updates",
        );
        check(&SOURCES, "deb http://archive.ubuntu.com/ubuntu jammy main\n", "");
        check(&SOURCES, "deb https://mirror.example/esm.ubuntu.com/apps/ubuntu jammy main\n", "");
        check(&SOURCES, "", "");
    }

    #[test]
    fn status() {
        let status = r#"{"attached": true, "services": [{"name": "esm-apps", "status": "enabled"},
            {"name": "fips", "status": "disabled"}, {"name": "esm-infra", "status": "enabled"}, {"name": "ros"}]}"#;
        check(&STATUS, status, "esm-apps esm-infra");
        check(&STATUS, &status.replace("true", "false"), "");
        check(&STATUS, "{}", "");
        check(&STATUS, "[", "");
        assert_eq!(STATUS.run(b"[").problems.len(), 1);
    }
}

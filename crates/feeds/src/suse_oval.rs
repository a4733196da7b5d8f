//! SUSE's and openSUSE's flaws in OVAL: one file for each product line, a definition for each CVE, with what is fixed,
//! not fixed and not affected. Source: suse.com/support/security/oval, the flavour `-affected`.
use crate::export::Export;
use crate::feed::{Content, Feed};
use crate::oval::{
    Asked, Bound, Compare, Criterion, Definition, Dialect, Document, Operation, Place, State,
    arches, convert, documents, moment, plain,
};
use crate::records::{advisory, is_cve};
use seawall_model::Severity;
use seawall_model::advisory::{Advisory, Affected};
use seawall_model::package::Ecosystem;
use std::io;
use std::path::Path;

pub(crate) static FEED: Feed = Feed {
    key: "suse-oval",
    title: "SUSE OVAL",
    licence: "CC-BY-4.0",
    verified: true,
    default_base: "https://ftp.suse.com/pub/projects/security/oval/",
    files: &[
        "suse.linux.enterprise.server.12-affected.xml.gz",
        "suse.linux.enterprise.server.15-affected.xml.gz",
        "opensuse.leap.15.5-affected.xml.gz",
        "opensuse.leap.15.6-affected.xml.gz",
    ],
    listing: None,
    // Its definitions and the notices in `osv` are of one source; neither says all that the other does.
    leads: &[],
    content: Content::Advisories(export),
};

pub(crate) const DIALECT: Dialect = Dialect { place: None, asked, advisory: record };

/// The flavour with what is not fixed.
const AFFECTED: &str = "-affected";

fn export(base: &Path) -> io::Result<Export> {
    let mut export = Export::default();
    // Of the three flavours the one by patches says the same over again.
    let fits = |name: &str| {
        let is_ours = name.starts_with("suse.linux.enterprise.") || name.starts_with("opensuse.");
        is_ours && !name.ends_with("-patch.xml")
    };
    let paths = documents(base, fits)?;
    let names: Vec<&str> =
        paths.iter().filter_map(|path| plain(path)?.strip_suffix(".xml")).collect();
    for (path, name) in paths.iter().zip(&names) {
        // The fuller flavour of the same line lies beside it.
        if names.contains(&format!("{name}{AFFECTED}").as_str()) {
            continue;
        }
        let ecosystem = match path.starts_with("opensuse") {
            true => Ecosystem::OpenSuse,
            false => Ecosystem::Suse,
        };
        let (report, advisories) = convert(base, path, &DIALECT);
        export.add(report, &[(ecosystem, None)], advisories);
    }
    Ok(export)
}

fn asked(document: &Document, _: &Definition, criterion: &Criterion) -> Asked {
    if let Some(product) = criterion.comment.trim().strip_suffix(" is installed")
        && (product.starts_with("SUSE ") || product.starts_with("openSUSE "))
    {
        return place(product).map_or(Asked::Left("product of another line"), Asked::Place);
    }
    let Some(resolved) = document.resolve(criterion) else {
        return Asked::Left("test not in the document");
    };
    let package =
        |bound, arches| Asked::Package { name: resolved.package.to_owned(), bound, arches };
    let none = State::default();
    let state = resolved.state.unwrap_or(&none);
    if state.signature.is_some() {
        return Asked::Nothing;
    }
    let arches = state.arch.as_ref().map(|arch| arches(&arch.text)).unwrap_or_default();
    match (&state.evr, &state.version) {
        // No package has it: how the generator says that none is affected.
        (_, Some(Compare { operation: Operation::Equals, text })) if text == "0" => {
            package(Bound::Never, arches)
        }
        (Some(evr), _) => match evr.operation {
            Operation::LessThan => package(Bound::Below(evr.text.clone()), arches),
            // Every version is above `0:0-0`.
            Operation::GreaterThan => package(Bound::Any, arches),
            _ => Asked::Left("criterion not understood"),
        },
        (None, None) => package(Bound::Any, arches),
        (None, Some(_)) => Asked::Left("criterion not understood"),
    }
}

/// Support beyond the ordinary, each for its own subscribers, by what stands behind or within a product's name.
const CHANNELS: [(&str, &str); 5] = [
    ("-LTSS", "ltss"),
    ("-BCL", "bcl"),
    ("-ESPOS", "espos"),
    ("-TERADATA", "teradata"),
    ("for SAP Applications", "sap"),
];

/// `SUSE Linux Enterprise Module for Basesystem 15 SP3`, `SUSE Linux Enterprise Server 15 SP1-LTSS`,
/// `openSUSE Leap 15.5`. An image has packages of several modules, so the version alone is the release. `None` for
/// products with a line of versions of their own, as SUSE Manager.
pub(crate) fn place(product: &str) -> Option<Place> {
    let text = |text: &str| text.to_owned();
    if let Some(leap) = product.strip_prefix("openSUSE ") {
        let release = leap.strip_prefix("Leap ").unwrap_or(leap);
        let plain = release == "Tumbleweed" || release.starts_with(|c: char| c.is_ascii_digit());
        let release = release.split(' ').next().filter(|_| plain)?;
        return Some(Place {
            ecosystem: Ecosystem::OpenSuse,
            release: text(release),
            channel: None,
        });
    }
    // `SUSE Linux Micro 6.0` has lost a word.
    let name = product.strip_prefix("SUSE Linux ")?;
    if name.contains("Storage") {
        return None;
    }
    let words: Vec<&str> = name.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    let pack = words.get(at + 1).and_then(|word| word.strip_prefix("SP"));
    let release = match pack {
        Some(pack) => format!("{}.{pack}", words[at]),
        None => text(words[at]),
    };
    let channel = CHANNELS.into_iter().find(|(mark, _)| name.contains(mark));
    let channel = channel.map(|(_, channel)| text(channel));
    Some(Place { ecosystem: Ecosystem::Suse, release, channel })
}

fn record(definition: &Definition, affected: Vec<Affected>) -> Result<Advisory, &'static str> {
    let id = definition.title.as_str();
    if id.is_empty() {
        return Err("no advisory's name");
    }
    let named = definition.cves.iter().map(|cve| cve.id.as_str()).chain([id]);
    let mut cves: Vec<String> = named.filter(|id| is_cve(id)).map(str::to_owned).collect();
    cves.sort();
    cves.dedup();
    let cvss = definition.cves.iter().find_map(|cve| Some(cve.cvss.as_deref()?.split_once('/')?.1));
    let severity = definition.severity.as_deref().and_then(|word| word.parse().ok());
    Ok(Advisory {
        cves,
        cvss: cvss.map(str::to_owned),
        severity: severity.unwrap_or(Severity::Unknown),
        references: definition.references.iter().map(|own| own.url.clone()).collect(),
        published: definition.issued.as_deref().and_then(moment),
        modified: definition.updated.as_deref().and_then(moment),
        affected,
        ..advisory(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(product: &str, expected: &str) {
        let told = place(product).map_or("-".to_owned(), |own| {
            let channel = own.channel.map(|channel| format!(" {channel}")).unwrap_or_default();
            format!("{} {}{channel}", own.ecosystem, own.release)
        });
        assert_eq!(told, expected, "{product}");
    }

    #[test]
    fn products_are_releases_and_channels() {
        check("SUSE Linux Enterprise Server 15", "SUSE 15");
        check("SUSE Linux Enterprise Server 15 SP3", "SUSE 15.3");
        check("SUSE Linux Enterprise Module for Basesystem 15 SP5", "SUSE 15.5");
        check("SUSE Linux Enterprise Server 15-LTSS", "SUSE 15 ltss");
        check("SUSE Linux Enterprise Server 15 SP1-LTSS", "SUSE 15.1 ltss");
        check("SUSE Linux Enterprise Server 15 SP1-BCL", "SUSE 15.1 bcl");
        check("SUSE Linux Enterprise Server for SAP Applications 15 SP2", "SUSE 15.2 sap");
        check("SUSE Linux Enterprise Micro 5.3", "SUSE 5.3");
        check("openSUSE Leap 15.5", "openSUSE 15.5");
        check("openSUSE Tumbleweed", "openSUSE Tumbleweed");
        check("SUSE Manager Server 4.1", "-");
        check("SUSE Linux Enterprise Storage 7", "-");
    }
}

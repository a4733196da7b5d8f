//! What the text behind an OSV ecosystem's name says: a release, and of some a channel or a product.
//! Source: OSV schema, "Defined Ecosystems"; the exports of Canonical and SUSE.
use seawall_model::advisory::Only;
use seawall_model::package::Ecosystem;

/// Where an entry counts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ecosystem: Ecosystem,
    pub(super) release: Option<String>,
    pub(super) only: Only,
}

/// `Debian:12`, `Ubuntu:Pro:16.04:LTS`, `SUSE:Linux Enterprise Server 15 SP5`, `npm`. The error is the class the entry
/// is counted under.
pub(super) fn parse(text: &str) -> Result<Place, String> {
    let (name, rest) = match text.split_once(':') {
        Some((name, rest)) => (name, Some(rest).filter(|rest| !rest.is_empty())),
        None => (text, None),
    };
    let ecosystem =
        Ecosystem::of_osv_name(name).ok_or_else(|| format!("ecosystem not supported: {name}"))?;
    let mut only = Only::default();
    let release = match ecosystem {
        Ecosystem::Ubuntu => {
            let (release, channel) = ubuntu(rest.unwrap_or_default());
            only.channel = channel;
            release
        }
        Ecosystem::RedHat => {
            let product = rest.ok_or("no release")?;
            only.cpe = Some(format!("cpe:/a:redhat:{product}"));
            product
                .split(':')
                .nth(1)
                .map(|version| version.split('.').next().unwrap_or(version).to_owned())
        }
        Ecosystem::Suse => suse(rest.unwrap_or_default(), &mut only),
        Ecosystem::OpenSuse => rest.map(|rest| rest.trim_start_matches("Leap ").to_owned()),
        // The index has one release of each, whatever the export writes behind it.
        Ecosystem::Wolfi | Ecosystem::Chainguard => {
            return Ok(Place { ecosystem, release: None, only });
        }
        Ecosystem::AzureLinux | Ecosystem::Photon => {
            rest.map(|rest| if rest.contains('.') { rest.to_owned() } else { format!("{rest}.0") })
        }
        own if own.is_of_distro() => rest.map(str::to_owned),
        _ => return Ok(Place { ecosystem, release: None, only }),
    };
    match release {
        Some(release) => Ok(Place { ecosystem, release: Some(release), only }),
        None => Err("no release".to_owned()),
    }
}

/// `22.04:LTS`, `23.10`; `Pro:16.04:LTS` is what only subscribers get, `Pro:FIPS-updates:20.04:LTS` one part of that.
fn ubuntu(text: &str) -> (Option<String>, Option<String>) {
    let is_release =
        |part: &&str| part.contains('.') && part.starts_with(|c: char| c.is_ascii_digit());
    let release = text.split(':').find(is_release).map(str::to_owned);
    let mut parts = text.split(':');
    let channel = (parts.next() == Some("Pro")).then(|| {
        let named = parts.next().filter(|part| !is_release(part));
        named.map_or("pro".to_owned(), str::to_lowercase)
    });
    (release, channel)
}

/// `Linux Enterprise Server 15 SP5`, `Linux Enterprise Module for Basesystem 15 SP5`: an image has packages of several
/// modules, so the version alone is the release. What LTSS ships is for its subscribers.
fn suse(text: &str, only: &mut Only) -> Option<String> {
    if text.contains("LTSS") {
        only.channel = Some("ltss".to_owned());
    }
    let numeric = |word: &str| word.starts_with(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = text.split([' ', '-']).filter(|word| !word.is_empty()).collect();
    let at = words.iter().position(|word| numeric(word))?;
    let pack = words.get(at + 1).and_then(|word| word.strip_prefix("SP"));
    Some(match pack {
        Some(pack) => format!("{}.{pack}", words[at]),
        None => words[at].to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let told = match parse(text) {
            Err(class) => class,
            Ok(Place { ecosystem, release, only }) => {
                let extra = only.channel.or(only.cpe).map(|extra| format!(" {extra}"));
                format!(
                    "{ecosystem} {}{}",
                    release.as_deref().unwrap_or("-"),
                    extra.unwrap_or_default()
                )
            }
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn places_are_told_apart() {
        check("Debian:12", "Debian 12");
        check("Debian", "no release");
        check("PyPI", "PyPI -");
        check("npm:", "npm -");
        check("Ubuntu:22.04:LTS", "Ubuntu 22.04");
        check("Ubuntu:23.10", "Ubuntu 23.10");
        check("Ubuntu:Pro:16.04:LTS", "Ubuntu 16.04 pro");
        check("Ubuntu:Pro:FIPS-updates:20.04:LTS", "Ubuntu 20.04 fips-updates");
        check("Alpine:v3.18", "Alpine v3.18");
        check("AlmaLinux:8", "AlmaLinux 8");
        check("Rocky Linux:9", "Rocky Linux 9");
        check("Alpaquita:stream", "Alpaquita stream");
        check("Wolfi", "Wolfi -");
        check("SUSE:Linux Enterprise Server 15 SP5", "SUSE 15.5");
        check("SUSE:Linux Enterprise Module for Basesystem 15 SP5", "SUSE 15.5");
        check("SUSE:Linux Enterprise Server 12-LTSS", "SUSE 12 ltss");
        check("SUSE:Linux Enterprise Server 15 SP1-LTSS", "SUSE 15.1 ltss");
        check("openSUSE:Leap 15.5", "openSUSE 15.5");
        check("openSUSE:Tumbleweed", "openSUSE Tumbleweed");
        check("Azure Linux:3", "Azure Linux 3.0");
        check(
            "Red Hat:enterprise_linux:9::appstream",
            "Red Hat 9 cpe:/a:redhat:enterprise_linux:9::appstream",
        );
        check("Red Hat:rhel_eus:9.2::baseos", "Red Hat 9 cpe:/a:redhat:rhel_eus:9.2::baseos");
        check("Maven", "Maven -");
        check("GIT", "ecosystem not supported: GIT");
    }
}

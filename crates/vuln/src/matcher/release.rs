//! Which release of a distro judges its packages, as feeds name releases.
use seawall_model::package::{Distro, Ecosystem};

/// The release of a distro.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// There is but one.
    Rolling,
    /// Names that feeds may have for it, the most exact first; none where nothing tells.
    Named(Vec<String>),
}

/// `repositories`: where the packages come from, which tells more than os-release on Alpine.
pub(super) fn of(ecosystem: Ecosystem, distro: &Distro, repositories: &[String]) -> Release {
    let version = distro.version.as_deref().filter(|version| !version.is_empty());
    let part = |count: usize| {
        version.map(|version| version.split('.').take(count).collect::<Vec<_>>().join("."))
    };
    let exact = || version.map(str::to_owned);
    let names: Vec<Option<String>> = match ecosystem {
        Ecosystem::Wolfi | Ecosystem::Chainguard => return Release::Rolling,
        Ecosystem::Alpine => vec![branch(repositories).or_else(|| alpine(version))],
        Ecosystem::Alpaquita => vec![exact().or_else(|| Some("stream".to_owned()))],
        Ecosystem::Debian => vec![exact(), part(1)],
        Ecosystem::Ubuntu => vec![part(2)],
        Ecosystem::Amazon => vec![version.map(|version| match version {
            // The first line has a date for a version.
            dated if dated.starts_with("201") => "1".to_owned(),
            other => other.split('.').next().unwrap_or(other).to_owned(),
        })],
        Ecosystem::RedHat | Ecosystem::AlmaLinux | Ecosystem::Rocky | Ecosystem::Oracle => {
            vec![part(1)]
        }
        Ecosystem::Suse => vec![exact(), part(1)],
        Ecosystem::OpenSuse if distro.id.eq_ignore_ascii_case("opensuse-tumbleweed") => {
            vec![Some("Tumbleweed".to_owned())]
        }
        Ecosystem::OpenSuse => vec![exact()],
        Ecosystem::Photon | Ecosystem::AzureLinux => vec![part(2)],
        _ => vec![exact()],
    };
    let mut names: Vec<String> = names.into_iter().flatten().collect();
    names.dedup();
    Release::Named(names)
}

/// `3.18.4` is branch `v3.18`; a pre-release `3.19_alpha20230901` is of `edge`. Source: Alpine's `/etc/os-release`.
fn alpine(version: Option<&str>) -> Option<String> {
    let version = version?;
    if version == "edge" || version.contains("_alpha") {
        return Some("edge".to_owned());
    }
    let mut parts = version.split('.');
    Some(format!("v{}.{}", parts.next()?, parts.next()?))
}

/// The branch that all of apk's repositories are of; `latest-stable` says none.
fn branch(repositories: &[String]) -> Option<String> {
    let named = |line: &String| {
        let path = line.trim().trim_end_matches('/');
        let branch = path.rsplit('/').nth(1)?;
        let numbered = branch
            .strip_prefix('v')
            .and_then(|number| number.split_once('.'))
            .is_some_and(|(major, minor)| {
                [major, minor]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
            });
        (branch == "edge" || numbered).then(|| branch.to_owned())
    };
    let mut branches: Vec<String> = repositories.iter().filter_map(named).collect();
    branches.sort_unstable();
    branches.dedup();
    // `edge` of one repository beside a numbered one does not make the base edge.
    if branches.len() > 1 {
        branches.retain(|branch| branch != "edge");
    }
    match branches.as_slice() {
        [branch] => Some(branch.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ecosystem: Ecosystem, id: &str, version: &str, repositories: &[&str], expected: &str) {
        let version = Some(version.to_owned()).filter(|version| !version.is_empty());
        let distro = Distro { id: id.to_owned(), version, name: None };
        let repositories: Vec<String> = repositories.iter().map(|&line| line.to_owned()).collect();
        let told = match of(ecosystem, &distro, &repositories) {
            Release::Rolling => "rolling".to_owned(),
            Release::Named(names) => names.join(" "),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn releases_are_named_as_feeds_name_them() {
        check(Ecosystem::Debian, "debian", "6.0.10", &[], "6.0.10 6");
        check(Ecosystem::Debian, "debian", "12", &[], "12");
        check(Ecosystem::Debian, "debian", "", &[], "");
        check(Ecosystem::Ubuntu, "ubuntu", "22.04", &[], "22.04");
        check(Ecosystem::RedHat, "rhel", "9.2", &[], "9");
        check(Ecosystem::Amazon, "amzn", "2018.03", &[], "1");
        check(Ecosystem::Amazon, "amzn", "2023", &[], "2023");
        check(Ecosystem::Suse, "sles", "15.5", &[], "15.5 15");
        check(Ecosystem::OpenSuse, "opensuse-tumbleweed", "20240101", &[], "Tumbleweed");
        check(Ecosystem::OpenSuse, "opensuse-leap", "15.5", &[], "15.5");
        check(Ecosystem::Wolfi, "wolfi", "20230201", &[], "rolling");
        check(Ecosystem::Alpaquita, "alpaquita", "", &[], "stream");
        check(Ecosystem::AzureLinux, "mariner", "2.0.20240101", &[], "2.0");
    }

    #[test]
    fn repositories_beat_os_release_on_alpine() {
        let alpine = |version: &str, repositories: &[&str], expected: &str| {
            check(Ecosystem::Alpine, "alpine", version, repositories, expected);
        };
        alpine("3.18.4", &[], "v3.18");
        alpine("3.19_alpha20230901", &[], "edge");
        let main = "https://mirror.example/alpine/v3.17/main";
        alpine("3.18.4", &[main, "https://mirror.example/alpine/v3.17/community/"], "v3.17");
        let edge =
            ["main", "community"].map(|part| format!("https://mirror.example/alpine/edge/{part}"));
        alpine("3.18.4", &[&edge[0], &edge[1]], "edge");
        alpine("3.18.4", &[main, "https://mirror.example/alpine/edge/testing"], "v3.17");
        alpine("3.18.4", &["https://mirror.example/alpine/latest-stable/main"], "v3.18");
        alpine("3", &["/media/cdrom/apks"], "");
    }
}

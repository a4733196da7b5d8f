//! Which of Red Hat's products a target has, and so which statements concern it.
use crate::index::IndexSet;
use seawall_model::Problem;
use seawall_model::package::{Distro, Ecosystem, Format, Inventory};

/// Support of a minor release beyond its time: flaws are disclosed in the main stream, fixed in either.
const BESIDE: [&str; 4] = ["rhel_eus", "rhel_aus", "rhel_tus", "rhel_e4s"];
/// From this major on products name the minor release as well.
const NAMES_MINOR: u32 = 10;
/// The last major whose repositories were not split into BaseOS and AppStream.
const WHOLE: u32 = 7;
/// Minor releases of a major: none had more than ten. Also where nothing says which, as on CentOS Stream.
const MINORS: u32 = 20;

/// CPE 2.2 URIs of the target's products; `None` where it is of another distro, or the index would not ask.
pub(crate) fn products(
    inventory: &Inventory,
    index: &IndexSet,
    problems: &mut Vec<Problem>,
) -> Option<Vec<String>> {
    let distro = inventory.distro.as_ref()?;
    let is_rhel = Ecosystem::on(Format::Rpm, &distro.id) == Some(Ecosystem::RedHat);
    if !is_rhel || index.held(Ecosystem::RedHat).is_empty() {
        return None;
    }
    let version = distro.version.as_deref().unwrap_or_default();
    let (major, minor) = numbers(version);
    let named = index.products().map(|products| {
        let named = inventory.repositories.iter().flat_map(|name| products.of(name));
        named.cloned().collect::<Vec<_>>()
    });
    let mut own: Vec<String> = named.unwrap_or_default();
    let mains: Vec<String> = own.iter().flat_map(|cpe| mains_of(cpe)).collect();
    own.extend(mains);
    let is_centos = distro.id.eq_ignore_ascii_case("centos");
    if is_centos || own.is_empty() {
        problems.push(note(distro, is_centos));
        own.extend(main_stream(major?, minor.unwrap_or(MINORS)));
    }
    own.sort();
    own.dedup();
    Some(own)
}

fn note(distro: &Distro, is_centos: bool) -> Problem {
    let version = distro.version.as_deref().unwrap_or_default();
    if is_centos {
        let message = format!(
            "CentOS {version} is judged by the advisories of RHEL of the same major: approximate"
        );
        return Problem::note("centos-as-rhel", message);
    }
    let message = format!(
        "nothing tells which repositories RHEL {version} has: judged as of BaseOS and AppStream"
    );
    Problem::note("products-assumed", message)
        .help("build the index from `redhat-vex` with its repository-to-cpe.json; images of Red Hat name their content sets")
}

fn numbers(version: &str) -> (Option<u32>, Option<u32>) {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    (parts.next().flatten(), parts.next().flatten())
}

/// `cpe:/o:redhat:enterprise_linux:9::baseos` of `cpe:/o:redhat:rhel_eus:9.2::baseos`: what it was before it had
/// support beyond its time.
fn mains_of(cpe: &str) -> Vec<String> {
    let parts: Vec<&str> = cpe.split(':').collect();
    let (Some(product), Some(version)) = (parts.get(3), parts.get(4)) else { return Vec::new() };
    let (Some(major), minor) = numbers(version) else { return Vec::new() };
    if !BESIDE.contains(product) {
        return Vec::new();
    }
    let main = |version: String| {
        let mut parts: Vec<&str> = parts.clone();
        (parts[3], parts[4]) = ("enterprise_linux", &version);
        parts.join(":")
    };
    versions(major, minor.unwrap_or_default()).into_iter().map(main).collect()
}

/// As products name them.
fn versions(major: u32, minor: u32) -> Vec<String> {
    let minors = (0..=minor.min(MINORS)).filter(|_| major >= NAMES_MINOR);
    let named = minors.map(|minor| format!("{major}.{minor}"));
    [major.to_string()].into_iter().chain(named).collect()
}

/// BaseOS and AppStream, as far as the major has them.
fn main_stream(major: u32, minor: u32) -> Vec<String> {
    let named = |version: String| match major <= WHOLE {
        true => vec![format!("cpe:/o:redhat:enterprise_linux:{version}")],
        false => vec![
            format!("cpe:/o:redhat:enterprise_linux:{version}::baseos"),
            format!("cpe:/a:redhat:enterprise_linux:{version}::appstream"),
        ],
    };
    versions(major, minor).into_iter().flat_map(named).collect()
}

/// `rhel_eus:9.2` of `cpe:/o:redhat:rhel_eus:9.2::baseos`: the channel that this support is; others are none.
pub(super) fn channel(cpe: &str) -> Option<&str> {
    let at = cpe.find(":rhel_")? + 1;
    let text = cpe.get(at..)?;
    let end = text.match_indices(':').nth(1).map_or(text.len(), |(end, _)| end);
    text.get(..end)
}

/// The minor release that a target is kept at, by a product such as `rhel_eus:9.2`.
pub(super) fn kept_at(cpe: &str) -> Option<u32> {
    let (product, version) = channel(cpe)?.split_once(':')?;
    BESIDE.contains(&product).then(|| numbers(version).1).flatten()
}

/// The minor release that a build came with: 4 of `1.0-5.el9_4.1`.
pub(super) fn minor_of(version: &str) -> Option<u32> {
    let (_, dist) = version.rsplit_once(".el")?;
    let (_, minor) = dist.split_once('_')?;
    let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_lead_to_the_main_stream() {
        let main = mains_of("cpe:/a:redhat:rhel_eus:9.2::appstream");
        assert_eq!(main, ["cpe:/a:redhat:enterprise_linux:9::appstream"]);
        assert_eq!(mains_of("cpe:/a:redhat:enterprise_linux:9::appstream"), [""; 0]);
        let main = mains_of("cpe:/o:redhat:rhel_eus:10.1::baseos");
        assert_eq!(main.last().unwrap(), "cpe:/o:redhat:enterprise_linux:10.1::baseos");
        assert_eq!(main_stream(7, 9), ["cpe:/o:redhat:enterprise_linux:7"]);
        let nine = main_stream(9, 4);
        assert_eq!(nine[1], "cpe:/a:redhat:enterprise_linux:9::appstream");
        let ten = main_stream(10, 1);
        assert!(ten.contains(&"cpe:/o:redhat:enterprise_linux:10.1::baseos".to_owned()), "{ten:?}");
    }

    #[test]
    fn products_and_builds_name_minor_releases() {
        assert_eq!(channel("cpe:/o:redhat:rhel_eus:9.2::baseos"), Some("rhel_eus:9.2"));
        assert_eq!(channel("cpe:/o:redhat:rhel_els:7"), Some("rhel_els:7"));
        assert_eq!(channel("cpe:/o:redhat:enterprise_linux:9"), None);
        assert_eq!(kept_at("cpe:/o:redhat:rhel_eus:9.2::baseos"), Some(2));
        assert_eq!(kept_at("cpe:/o:redhat:rhel_els:7"), None);
        assert_eq!(minor_of("0:1.0-5.el9_4.1"), Some(4));
        assert_eq!(minor_of("0:1.0-5.el9"), None);
        assert_eq!(minor_of("0:3-2.module+el8.9.0+19699+7a7a2044"), None);
    }
}

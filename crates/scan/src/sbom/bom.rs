//! What every form comes to: a root and its components.
use super::component::{Component, Kind};
use super::distro;
use super::properties as own;
use seawall_extract::EXTRACTOR_VERSION;
use seawall_model::Problem;
use seawall_model::image::{ImageRef, Layer};
use seawall_model::package::{Distro, Ecosystem, Inventory, Package, Target};

/// Names of packages that a problem tells of.
const EXAMPLES: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Bom {
    pub(super) root: Component,
    pub(super) components: Vec<Component>,
    /// The document says itself that it is not all.
    pub(super) incomplete: bool,
}

/// Names of what was left out or taken for less.
#[derive(Default)]
struct Left {
    without_purl: Vec<String>,
    without_version: Vec<String>,
    without_source: Vec<String>,
    foreign: Vec<String>,
}

impl Bom {
    pub(super) fn inventory(self, name: &str) -> Inventory {
        let root = &self.root;
        let distro = self.distro();
        let layers = self.layers();
        let mut problems: Vec<Problem> = root.all(own::PROBLEM).filter_map(parsed).collect();
        let mut left = Left::default();
        let mut packages = Vec::new();
        for component in &self.components {
            packages.extend(left.package(component, distro.as_ref(), &layers));
        }
        problems.extend(left.problems());
        // What we left out ourselves stands above, in detail.
        if self.incomplete && root.one(&[own::TARGET]).is_none() {
            let message = "the SBOM says of itself that it is incomplete";
            problems.push(Problem::gap("sbom-incomplete", message));
        }
        packages.sort_by(|a: &Package, b| {
            let key = |own: &Package| {
                (own.ecosystem, own.name.clone(), own.version.clone(), own.purl.clone(), own.layer)
            };
            key(a).cmp(&key(b))
        });
        packages.dedup();
        crate::sort_problems(&mut problems);
        let mut repositories: Vec<String> = root.all(own::REPOSITORY).map(str::to_owned).collect();
        repositories.sort();
        Inventory {
            target: root.one(&[own::TARGET]).and_then(parsed).unwrap_or_else(|| target(root, name)),
            distro,
            platform: root.one(&[own::PLATFORM]).map(str::to_owned),
            layers,
            packages,
            repositories,
            problems,
            extractor_version: EXTRACTOR_VERSION,
        }
    }

    /// The component that is the system, else what purls say of it.
    fn distro(&self) -> Option<Distro> {
        if let Some(distro) = self.root.one(&[own::DISTRO]).and_then(parsed) {
            return Some(distro);
        }
        let system = self.components.iter().find(|component| component.kind == Kind::System);
        let named = system.map(|system| {
            let id = system.one(&["syft:distro:id"]).unwrap_or(&system.name);
            let version = system.one(&["syft:distro:versionID"]).or(system.version.as_deref());
            Distro {
                id: distro::os_release_id(id),
                version: version.map(str::to_owned).filter(|version| !version.is_empty()),
                name: system.one(&["syft:distro:prettyName"]).map(str::to_owned),
            }
        });
        named.or_else(|| {
            self.components.iter().filter_map(|own| own.purl.as_deref()).find_map(distro::of_purl)
        })
    }

    /// As we write them, or as trivy lists their diffIDs.
    fn layers(&self) -> Vec<Layer> {
        let own: Vec<Layer> = self.root.all(own::LAYER).filter_map(parsed).collect();
        if !own.is_empty() {
            return own;
        }
        let diff_ids = self.root.all("aquasecurity:trivy:DiffID");
        let layer = |diff_id: &str| Layer {
            diff_id: diff_id.to_owned(),
            created_by: None,
            size: None,
            base: false,
        };
        diff_ids.map(layer).collect()
    }
}

fn parsed<T: serde::de::DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// What the root is: an image, if it says so, else a directory.
fn target(root: &Component, name: &str) -> Target {
    let called = Some(root.name.as_str()).filter(|name| !name.is_empty()).unwrap_or(name);
    let of_oci = root.purl.as_deref().is_some_and(|purl| purl.starts_with("pkg:oci/"));
    if root.kind != Kind::Container && !of_oci {
        return Target::Directory { path: called.to_owned() };
    }
    let digest_in = |text: Option<&str>| {
        let at = text?.find("sha256:")?;
        let digest: String = text?[at..]
            .chars()
            .enumerate()
            .take_while(|(index, c)| *index < 7 || c.is_ascii_hexdigit())
            .map(|(_, c)| c)
            .collect();
        (digest.len() == "sha256:".len() + 64).then_some(digest)
    };
    let purl = root.purl.as_deref().map(|purl| purl.replace("%3A", ":"));
    let digest = digest_in(purl.as_deref())
        .or_else(|| digest_in(root.one(&["aquasecurity:trivy:RepoDigest"])))
        .or_else(|| digest_in(root.version.as_deref()));
    let image = ImageRef {
        name: called.split('@').next().unwrap_or(called).to_owned(),
        digest,
        index_digest: None,
        config_digest: root.one(&["aquasecurity:trivy:ImageID"]).map(str::to_owned),
    };
    Target::Image { image }
}

impl Left {
    fn package(
        &mut self,
        component: &Component,
        distro: Option<&Distro>,
        layers: &[Layer],
    ) -> Option<Package> {
        let package = match component.package(distro, layers) {
            Ok(package) => package,
            Err(class) => {
                use super::component::NoPackage;
                let names = match class {
                    NoPackage::NotOne => return None,
                    NoPackage::NoPurl => &mut self.without_purl,
                    NoPackage::NoVersion => &mut self.without_version,
                    NoPackage::Foreign => &mut self.foreign,
                };
                names.push(component.name.clone());
                return None;
            }
        };
        if package.source.is_none() && is_keyed_by_source(package.ecosystem) {
            self.without_source.push(package.name.clone());
        }
        Some(package)
    }

    fn problems(self) -> Vec<Problem> {
        let told = |names: Vec<String>, code: &str, why: &str| {
            let message =
                format!("{} packages of the SBOM {why}: {}", names.len(), some_of(&names));
            (!names.is_empty()).then(|| Problem::gap(code, message))
        };
        let foreign = (!self.foreign.is_empty()).then(|| {
            let names = some_of(&self.foreign);
            let message = format!(
                "{} packages are of kinds that no feed speaks of: {names}",
                self.foreign.len()
            );
            Problem::note("sbom-kind", message)
        });
        let gaps = [
            told(self.without_purl, "sbom-no-purl", "have no purl, so nobody can judge them"),
            told(
                self.without_version,
                "sbom-no-version",
                "have no version, so nobody can judge them",
            ),
            told(
                self.without_source,
                "sbom-no-source",
                "do not name their source package, by which advisories are keyed, and are judged by their own",
            ),
        ];
        gaps.into_iter().chain([foreign]).flatten().collect()
    }
}

/// dpkg's and apk's, and two distros with rpm. Source: `vuln`'s subject.
fn is_keyed_by_source(ecosystem: Ecosystem) -> bool {
    use seawall_model::package::Format;
    matches!(ecosystem.format(), Format::Deb | Format::Apk)
        || matches!(ecosystem, Ecosystem::Photon | Ecosystem::AzureLinux)
}

fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(EXAMPLES).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > EXAMPLES { format!("{shown}, …") } else { shown }
}

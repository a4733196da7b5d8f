//! One component → one package.
use super::{properties as own, source};
use packageurl::PackageUrl;
use seawall_model::image::Layer;
use seawall_model::package::{Distro, Ecosystem, Format, Package};
use seawall_vuln::name;
use std::collections::BTreeSet;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// A package, which needs a purl to be judged.
    Library,
    /// What may be a package: if it has a purl.
    #[default]
    Other,
    /// The operating system.
    System,
    Container,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Component {
    pub(super) kind: Kind,
    pub(super) group: String,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) purl: Option<String>,
    pub(super) properties: Vec<(String, String)>,
    pub(super) locations: Vec<String>,
    /// SPDX's `sourceInfo`.
    pub(super) source_info: Option<String>,
}

/// Why a component is no package that could be judged.
pub(super) enum NoPackage {
    NotOne,
    NoPurl,
    NoVersion,
    /// Its purl is of a type that no feed speaks of.
    Foreign,
}

impl Component {
    /// The first property of any of these names.
    pub(super) fn one(&self, names: &[&str]) -> Option<&str> {
        let of = |name: &&str| self.properties.iter().find(|(own, _)| own == name);
        names.iter().find_map(of).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        let fits = move |(own, _): &&(String, String)| own == name;
        self.properties.iter().filter(fits).map(|(_, value)| value.as_str())
    }

    pub(super) fn package(
        &self,
        distro: Option<&Distro>,
        layers: &[Layer],
    ) -> Result<Package, NoPackage> {
        let text = match (&self.purl, self.kind) {
            (_, Kind::System | Kind::Container) => return Err(NoPackage::NotOne),
            (Some(text), _) => text,
            (None, Kind::Library) => return Err(NoPackage::NoPurl),
            (None, Kind::Other) => return Err(NoPackage::NotOne),
        };
        let purl = PackageUrl::from_str(text).map_err(|_| NoPackage::NoPurl)?;
        let ecosystem = self.ecosystem(&purl, distro).ok_or(NoPackage::Foreign)?;
        let version = self.package_version(&purl).ok_or(NoPackage::NoVersion)?;
        let name = match self.one(&[own::NAME]) {
            Some(name) => name.to_owned(),
            None => self.package_name(&purl, ecosystem),
        };
        let source = source::of(self, &purl, ecosystem, &name, &version);
        Ok(Package {
            ecosystem,
            name,
            version,
            purl: text.clone(),
            arch: self.arch(&purl),
            source,
            locations: self.all_locations(),
            owner: self.one(&[own::OWNER]).map(str::to_owned),
            layer: self.layer(layers),
            third_party: self.one(&[own::THIRD_PARTY]) == Some("true"),
            module: self.module(&purl),
        })
    }

    fn ecosystem(&self, purl: &PackageUrl<'_>, distro: Option<&Distro>) -> Option<Ecosystem> {
        if let Some(named) = self.one(&[own::ECOSYSTEM]).and_then(Ecosystem::of_osv_name) {
            return Some(named);
        }
        let on = |format| distro.and_then(|distro| Ecosystem::on(format, &distro.id));
        match purl.ty() {
            "deb" => on(Format::Deb).or(Some(Ecosystem::Debian)),
            "rpm" => on(Format::Rpm).or(Some(Ecosystem::Rpm)),
            // Wolfi and Chainguard are told by the system alone.
            "apk" | "alpine" => on(Format::Apk).or(Some(Ecosystem::Apk)),
            kind => Ecosystem::ALL
                .into_iter()
                .find(|own| !own.is_of_distro() && own.purl_type() == kind),
        }
    }

    /// The purl's, with the epoch that rpm's and trivy's dpkg purls keep apart; else the component's.
    fn package_version(&self, purl: &PackageUrl<'_>) -> Option<String> {
        if let Some(version) = self.one(&[own::VERSION]) {
            return Some(version.to_owned());
        }
        let version = purl.version().filter(|version| !version.is_empty());
        let Some(version) = version else {
            return self.version.clone().filter(|version| !version.is_empty());
        };
        let epoch = purl.qualifiers().get("epoch").filter(|epoch| *epoch != "0");
        match epoch {
            Some(epoch) if !version.contains(':') => Some(format!("{epoch}:{version}")),
            _ => Some(version.to_owned()),
        }
    }

    /// As the ecosystem writes it. Purls fold the case of some names: the component's spelling counts if it is the same
    /// name otherwise.
    fn package_name(&self, purl: &PackageUrl<'_>, ecosystem: Ecosystem) -> String {
        let separator = if ecosystem == Ecosystem::Maven { ":" } else { "/" };
        let in_namespace = matches!(
            ecosystem,
            Ecosystem::Go | Ecosystem::Npm | Ecosystem::Packagist | Ecosystem::Maven
        );
        let joined = match purl.namespace() {
            Some(namespace) if in_namespace => format!("{namespace}{separator}{}", purl.name()),
            _ => purl.name().to_owned(),
        };
        let spelled = [self.name.clone(), format!("{}{separator}{}", self.group, self.name)];
        let spelled = spelled.into_iter().find(|name| name.eq_ignore_ascii_case(&joined));
        name::normalize(ecosystem, &spelled.unwrap_or(joined))
    }

    fn arch(&self, purl: &PackageUrl<'_>) -> Option<String> {
        let qualifier = purl.qualifiers().get("arch").map(|arch| arch.to_string());
        self.one(&[own::ARCH]).map(str::to_owned).or(qualifier)
    }

    /// `name:stream` of `name:stream:version:context`.
    fn module(&self, purl: &PackageUrl<'_>) -> Option<String> {
        let names = [
            own::MODULE,
            "aquasecurity:trivy:Modularitylabel",
            "Modularitylabel",
            "syft:metadata:modularityLabel",
        ];
        let label = self.one(&names).map(str::to_owned);
        let label = label.or_else(|| purl.qualifiers().get("rpmmod").map(|own| own.to_string()))?;
        let parts: Vec<&str> = label.split(':').take(2).collect();
        (!parts[0].is_empty()).then(|| parts.join(":"))
    }

    fn layer(&self, layers: &[Layer]) -> Option<u32> {
        if let Some(index) = self.one(&[own::LAYER_INDEX]) {
            return index.parse().ok();
        }
        let names = [own::LAYER_DIFF_ID, "aquasecurity:trivy:LayerDiffID", "LayerDiffID"];
        let diff_id = self.one(&names)?;
        let index = layers.iter().position(|layer| layer.diff_id == diff_id)?;
        u32::try_from(index).ok()
    }

    fn all_locations(&self) -> Vec<String> {
        let mut locations: BTreeSet<&str> = self.all(own::LOCATION).collect();
        if locations.is_empty() {
            locations.extend(self.locations.iter().map(String::as_str));
            locations.extend(self.one(&["aquasecurity:trivy:FilePath", "FilePath"]));
            let of_syft = |(name, _): &&(String, String)| {
                name.starts_with("syft:location:") && name.ends_with(":path")
            };
            locations.extend(self.properties.iter().filter(of_syft).map(|(_, path)| path.as_str()));
        }
        locations.into_iter().map(|path| path.trim_start_matches('/').to_owned()).collect()
    }
}

//! Images and package versions.
use super::{Extra, Field, Kind, Narrowing, Noun, Table};
use crate::Result;
use crate::image::{self, Image, PackageVersion};
use crate::list::Titled;
use crate::store::Store;
use crate::visible::Visible;
use seawall_model::{Id, Severity};

const ECOSYSTEMS: &[&str] = &["debian", "pypi", "go"];

static IMAGES: Table = Table {
    noun: "image",
    plural: "images",
    fields: &[
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("digest", Kind::Text, "/digest"),
        Field::new("config_digest", Kind::Text, "/config_digest"),
        Field::new("index_digest", Kind::Text, "/index_digest"),
        Field::new("platform", Kind::Text, "/platform"),
        Field::new("distro", Kind::Text, "/distro/id"),
        Field::new("release", Kind::Text, "/distro/version").column("distro_version"),
        Field::new("packages", Kind::Number, "/package_count").column("package_count"),
        Field::new("critical", Kind::Number, "/counts/critical"),
        Field::new("high", Kind::Number, "/counts/high"),
        Field::new("medium", Kind::Number, "/counts/medium"),
        Field::new("low", Kind::Number, "/counts/low"),
        Field::new("fixable", Kind::Number, "/fixable"),
        Field::new("running", Kind::Bool, "/running").derived().required(),
        Field::new("scanned", Kind::Time, "/scanned"),
        Field::new("scope", Kind::Text, "/scope").required(),
        Field::new("first", Kind::Time, "/first").required(),
        Field::new("last", Kind::Time, "/last").live().required(),
        Field::new("age", Kind::Time, "/first").column("first").required(),
    ],
    extras: &[],
    default_sort: "name",
    search: &["/name", "/digest", "/config_digest", "/distro/name"],
    narrowing: Narrowing::Running,
};

impl Noun for Image {
    const TABLE: &'static Table = &IMAGES;

    fn id(&self) -> Id {
        self.id
    }

    async fn hydrate(store: &Store, visible: &Visible, items: &mut [Self]) -> Result<()> {
        image::fill_running(store, visible, items).await
    }
}

impl Titled for Image {
    fn title(&self) -> (String, String, Option<Severity>) {
        let digest = self.digest.as_ref().or(self.config_digest.as_ref());
        (self.name.clone(), digest.cloned().unwrap_or_default(), None)
    }
}

static PACKAGES: Table = Table {
    noun: "package",
    plural: "packages",
    fields: &[
        Field::new("ecosystem", Kind::Word(ECOSYSTEMS), "/ecosystem").required(),
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("version", Kind::Text, "/version").column("package_version").required(),
    ],
    extras: &[Extra { column: "identity", integer: false }],
    default_sort: "name",
    search: &["/name", "/version"],
    narrowing: Narrowing::Holdings,
};

/// The packages of one image, [`crate::ImagePackage`]; their table is the image's inventory.
pub static IMAGE_PACKAGES: Table = Table::held(
    ("package of an image", "image-packages"),
    &[
        Field::new("name", Kind::Text, "/name").required(),
        Field::new("version", Kind::Text, "/version").required(),
        Field::new("ecosystem", Kind::Word(ECOSYSTEMS), "/ecosystem").required(),
        Field::new("purl", Kind::Text, "/purl").required(),
        Field::new("owner", Kind::Text, "/owner"),
        Field::new("layer", Kind::Number, "/layer"),
        Field::new("third_party", Kind::Bool, "/third_party").required(),
        Field::new("critical", Kind::Number, "/counts/critical").required(),
        Field::new("high", Kind::Number, "/counts/high").required(),
        Field::new("medium", Kind::Number, "/counts/medium").required(),
        Field::new("low", Kind::Number, "/counts/low").required(),
    ],
    "name",
    &["/purl", "/name"],
);

impl Noun for PackageVersion {
    const TABLE: &'static Table = &PACKAGES;

    fn id(&self) -> Id {
        self.id
    }

    fn extras(&self) -> Vec<serde_json::Value> {
        let package = (self.ecosystem, self.name.as_str(), self.version.as_str());
        vec![serde_json::json!(image::package_identity(package.0, package.1, package.2))]
    }

    async fn hydrate(store: &Store, visible: &Visible, items: &mut [Self]) -> Result<()> {
        image::fill_holders(store, visible, items).await
    }
}

impl Titled for PackageVersion {
    fn title(&self) -> (String, String, Option<Severity>) {
        (format!("{} {}", self.name, self.version), self.ecosystem.to_string(), None)
    }
}

//! Red Hat's repositories and the products each belongs to: what tells, by its content sets, which statements concern a
//! target. Source: Red Hat's `repository-to-cpe.json`.
use crate::segment::container::{self, Bytes, Kind, SegmentError};
use crate::segment::{BuildError, FeedDate};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// The open map.
pub struct Products {
    bytes: Bytes,
    names: Range<usize>,
    /// CPEs that belong together; a name leads to the place of its set.
    sets: Vec<Vec<String>>,
    meta: ProductsMeta,
    digest: String,
}

/// Where the map came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductsMeta {
    pub feed: FeedDate,
    pub repositories: u32,
}

/// `entries` is the name of a repository → CPE 2.2 URIs.
pub fn build(
    feed: FeedDate,
    entries: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<u8>, BuildError> {
    let sets: BTreeSet<&Vec<String>> = entries.values().collect();
    let places: BTreeMap<&Vec<String>, u64> = sets.iter().copied().zip(0..).collect();
    let mut names = fst::MapBuilder::memory();
    for (name, cpes) in entries {
        names.insert(name, places.get(cpes).copied().unwrap_or_default())?;
    }
    let repositories =
        u32::try_from(entries.len()).map_err(|_| BuildError::TooLarge("the entry count"))?;
    let meta =
        serde_json::to_vec(&ProductsMeta { feed, repositories }).expect("plain values serialise");
    let sets = serde_json::to_vec(&sets).expect("plain values serialise");
    Ok(container::pack(Kind::Products, &[meta, names.into_inner()?, sets]))
}

impl Products {
    pub fn open(bytes: impl AsRef<[u8]> + Send + Sync + 'static) -> Result<Self, SegmentError> {
        let bytes: Bytes = Box::new(bytes);
        let file = (*bytes).as_ref();
        let sections = container::sections(file, Kind::Products, 3)?;
        let meta =
            serde_json::from_slice(&file[sections[0].clone()]).map_err(SegmentError::Meta)?;
        let names = sections[1].clone();
        let damaged = |_| SegmentError::Section("names");
        fst::Map::new(&file[names.clone()]).map_err(damaged)?.as_fst().verify().map_err(damaged)?;
        let sets = serde_json::from_slice(&file[sections[2].clone()])
            .map_err(|_| SegmentError::Section("products"))?;
        let digest = container::digest(file);
        Ok(Self { bytes, names, sets, meta, digest })
    }

    pub fn meta(&self) -> &ProductsMeta {
        &self.meta
    }

    /// SHA-256 of the content, hexadecimal.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The products that a repository belongs to, as CPE 2.2 URIs; none where it is not known.
    pub fn of(&self, repository: &str) -> &[String] {
        let names = (*self.bytes).as_ref().get(self.names.clone());
        let place = names.and_then(|names| fst::Map::new(names).ok()?.get(repository));
        let set = place.and_then(|place| self.sets.get(usize::try_from(place).ok()?));
        set.map(Vec::as_slice).unwrap_or_default()
    }
}

#[test]
fn a_map_survives_its_file() {
    let feed = FeedDate { key: "redhat-vex".into(), newest: None };
    let base = vec!["cpe:/o:redhat:enterprise_linux:8::baseos".to_owned()];
    let entries = BTreeMap::from([
        ("rhel-8-for-aarch64-baseos-rpms".to_owned(), base.clone()),
        ("rhel-8-for-x86_64-baseos-rpms".to_owned(), base.clone()),
        ("codeready".to_owned(), vec!["cpe:/a:redhat:enterprise_linux:8::crb".to_owned()]),
    ]);
    let file = build(feed.clone(), &entries).unwrap();
    let products = Products::open(file.clone()).unwrap();
    assert_eq!(products.of("rhel-8-for-x86_64-baseos-rpms"), base);
    assert_eq!(products.of("rhel-9-for-x86_64-baseos-rpms"), [""; 0]);
    assert_eq!(products.meta(), &ProductsMeta { feed, repositories: 3 });
    let mut damaged = file;
    *damaged.last_mut().unwrap() ^= 1;
    assert!(matches!(Products::open(damaged), Err(SegmentError::Digest)));
}

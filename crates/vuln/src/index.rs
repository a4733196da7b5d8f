//! The open segments of one index and what it was asked to hold.
use crate::endoflife::EndOfLife;
use crate::epss::Epss;
use crate::kev::{Kev, KevMeta};
use crate::name;
use crate::nvd::Nvd;
use crate::part::PartMeta;
use crate::products::{Products, ProductsMeta};
use crate::segment::{FeedDate, Meta, Segment};
use seawall_model::Millis;
use seawall_model::package::Ecosystem;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Segments by ecosystem and release. Shared freely: it never changes once made.
pub struct IndexSet {
    segments: BTreeMap<(Ecosystem, Option<String>), Segment>,
    kev: Option<Kev>,
    products: Option<Products>,
    enrichment: Enrichment,
    asked: BTreeSet<Ecosystem>,
}

/// What is known of flaws and releases beside advisories; none of it creates a finding.
#[derive(Default)]
pub struct Enrichment {
    pub epss: Option<Epss>,
    pub nvd: Option<Nvd>,
    pub endoflife: Option<EndOfLife>,
}

impl Enrichment {
    /// Each part that is there: name, digest and where it came from.
    fn parts(&self) -> impl Iterator<Item = (&'static str, &str, &PartMeta)> {
        let epss = self.epss.as_ref().map(|own| ("epss", own.digest(), own.meta()));
        let nvd = self.nvd.as_ref().map(|own| ("nvd", own.digest(), own.meta()));
        let endoflife = self.endoflife.as_ref();
        let endoflife = endoflife.map(|own| ("endoflife", own.digest(), own.meta()));
        [epss, nvd, endoflife].into_iter().flatten()
    }
}

/// The report's `index`: how old the index is and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexInfo {
    /// Newest record of any advisory feed, epoch milliseconds; ages count from it.
    pub newest: Option<Millis>,
    pub feeds: Vec<FeedDate>,
    /// Ecosystems whose absence is a gap, by OSV name.
    pub asked: Vec<String>,
    pub segments: Vec<SegmentInfo>,
    /// Known exploited vulnerabilities; without them nothing tells whether a flaw is one.
    pub kev: Option<KevInfo>,
    /// Red Hat's repositories and their products; without them those of a target are assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<ProductsInfo>,
    /// Exploit predictions, NVD's ratings, ends of life.
    #[serde(default)]
    pub enrichment: Vec<PartInfo>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductsInfo {
    /// SHA-256 of the content, hexadecimal.
    pub digest: String,
    #[serde(flatten)]
    pub meta: ProductsMeta,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KevInfo {
    /// SHA-256 of the content, hexadecimal.
    pub digest: String,
    #[serde(flatten)]
    pub meta: KevMeta,
}

/// A part beside segments and lists: `epss`, `nvd`, `endoflife`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartInfo {
    pub name: String,
    /// SHA-256 of the content, hexadecimal.
    pub digest: String,
    #[serde(flatten)]
    pub meta: PartMeta,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentInfo {
    /// `Debian:11`, `PyPI`.
    pub name: String,
    /// SHA-256 of the content, hexadecimal.
    pub digest: String,
    #[serde(flatten)]
    pub meta: Meta,
}

impl IndexSet {
    /// Two segments of one name: the later counts. What has a segment was asked for.
    pub fn new(
        segments: Vec<Segment>,
        kev: Option<Kev>,
        asked: impl IntoIterator<Item = Ecosystem>,
    ) -> Self {
        let key = |segment: Segment| {
            let meta = segment.meta();
            ((meta.ecosystem, meta.release.clone()), segment)
        };
        let segments: BTreeMap<_, _> = segments.into_iter().map(key).collect();
        let held = segments.keys().map(|(ecosystem, _)| *ecosystem);
        let asked = asked.into_iter().chain(held).collect();
        Self { segments, kev, products: None, enrichment: Enrichment::default(), asked }
    }

    /// With Red Hat's repositories.
    pub fn with_products(self, products: Option<Products>) -> Self {
        Self { products, ..self }
    }

    pub fn with_enrichment(self, enrichment: Enrichment) -> Self {
        Self { enrichment, ..self }
    }

    pub fn segment(&self, ecosystem: Ecosystem, release: Option<&str>) -> Option<&Segment> {
        self.segments.get(&(ecosystem, release.map(str::to_owned)))
    }

    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.values()
    }

    pub fn kev(&self) -> Option<&Kev> {
        self.kev.as_ref()
    }

    pub fn enrichment(&self) -> &Enrichment {
        &self.enrichment
    }

    pub fn products(&self) -> Option<&Products> {
        self.products.as_ref()
    }

    /// Whether a package of this ecosystem without a segment is a gap.
    pub fn asked(&self, ecosystem: Ecosystem) -> bool {
        self.asked.contains(&ecosystem)
    }

    /// Whether it was asked for advisories at all: a list of exploited vulnerabilities alone judges nothing.
    pub fn has_advisories(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Newest record of any advisory feed, epoch milliseconds.
    pub fn newest(&self) -> Option<Millis> {
        let feeds = self.segments.values().flat_map(|segment| &segment.meta().feeds);
        feeds.filter_map(|feed| feed.newest).max()
    }

    /// Names of the segments of one ecosystem.
    pub fn held(&self, ecosystem: Ecosystem) -> Vec<String> {
        let own = self.segments.keys().filter(|(held, _)| *held == ecosystem);
        own.map(|(ecosystem, release)| name::segment(*ecosystem, release.as_deref())).collect()
    }

    /// Changes whenever matching may answer differently.
    pub fn digest(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        let kev = self.kev.iter().map(Kev::digest);
        let products = self.products.iter().map(Products::digest);
        for digest in self.segments.values().map(Segment::digest).chain(kev).chain(products) {
            hash.update(digest.as_bytes());
        }
        self.enrichment.parts().for_each(|(_, digest, _)| hash.update(digest.as_bytes()));
        self.asked.iter().for_each(|ecosystem| hash.update(ecosystem.osv_name().as_bytes()));
        hex::encode(hash.finalize())
    }

    pub fn info(&self) -> IndexInfo {
        let mut feeds: BTreeMap<String, Option<Millis>> = BTreeMap::new();
        for feed in self.segments.values().flat_map(|segment| &segment.meta().feeds) {
            let newest = feeds.entry(feed.key.clone()).or_default();
            *newest = (*newest).max(feed.newest);
        }
        let newest = feeds.values().copied().max().flatten();
        if let Some(kev) = &self.kev {
            let FeedDate { key, newest } = kev.meta().feed.clone();
            feeds.insert(key, newest);
        }
        for (_, _, meta) in self.enrichment.parts() {
            feeds.insert(meta.feed.key.clone(), meta.feed.newest);
        }
        let segment_info = |segment: &Segment| SegmentInfo {
            name: segment.name(),
            digest: segment.digest().to_owned(),
            meta: segment.meta().clone(),
        };
        let kev_info =
            |kev: &Kev| KevInfo { digest: kev.digest().to_owned(), meta: kev.meta().clone() };
        let products_info = |own: &Products| ProductsInfo {
            digest: own.digest().to_owned(),
            meta: own.meta().clone(),
        };
        let part_info = |(name, digest, meta): (&str, &str, &PartMeta)| PartInfo {
            name: name.to_owned(),
            digest: digest.to_owned(),
            meta: meta.clone(),
        };
        IndexInfo {
            newest,
            feeds: feeds.into_iter().map(|(key, newest)| FeedDate { key, newest }).collect(),
            asked: self.asked.iter().map(|ecosystem| ecosystem.osv_name().to_owned()).collect(),
            segments: self.segments.values().map(segment_info).collect(),
            kev: self.kev.as_ref().map(kev_info),
            products: self.products.as_ref().map(products_info),
            enrichment: self.enrichment.parts().map(part_info).collect(),
        }
    }
}

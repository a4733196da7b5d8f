//! Versions of Dart's pub: SemVer with builds in the order. Source: `Version.compareTo` in pub_semver
//! `lib/src/version.dart`.
use super::semver;
use std::cmp::Ordering;

pub(super) struct Version<'t> {
    without_build: semver::Version<'t>,
    /// Empty for none, which is below any.
    build: Vec<&'t str>,
}

impl<'t> Version<'t> {
    /// `None` where [`semver::Version::parse`] says so.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let without_build = semver::Version::parse(text)?;
        let build = without_build.build().filter(|build| !build.is_empty());
        let build = build.map_or(Vec::new(), |build| build.split('.').collect());
        Some(Self { without_build, build })
    }

    pub(super) fn cmp(&self, other: &Self) -> Ordering {
        let order = self.without_build.cmp(&other.without_build);
        order.then_with(|| semver::compare_identifiers(&self.build, &other.build))
    }

    pub(super) fn encode(&self, key: &mut Vec<u8>) {
        self.without_build.encode(key);
        semver::encode_identifiers(&self.build, key);
    }
}

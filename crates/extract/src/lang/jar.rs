//! Java archives: jar, war, ear and what lies in them. Source: Oracle "JAR File Specification"; Maven archiver's
//! `pom.properties`.
//!
//! Each `pom.properties` names a module, several in a shaded jar. If none is that of the jar itself, its manifest and
//! file name say who it is (`jar_identity`). Nested archives are read the same way, within bounds that hold for the
//! outermost one.
use super::jar_identity::{FileName, Manifest, identity};
use super::zip_directory::{Archive, Member, ReadError};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "jar",
    title: "Java archive",
    route: Route::Files(&[
        "**/*.jar", "**/*.war", "**/*.ear", "**/*.sar", "**/*.par", "**/*.hpi", "**/*.jpi",
        "**/*.nar",
    ]),
    max_bytes: 4 * GIB, // The bound of one analysed entry; read in place.
    extract: Extract::Bytes(extract),
};

/// Names of archives that may lie in others.
const NESTED: [&str; 4] = [".jar", ".war", ".ear", ".sar"];
/// Archives within each other, the outermost included: an ear holds wars, which hold jars.
const MAX_DEPTH: usize = 8;
/// Bytes inflated of one outermost archive, nested ones included, so that a small file cannot keep a scan for hours.
/// A nested archive that is stored costs its size too, or a chain of them would be free.
const MAX_INFLATED: u64 = 2 * GIB;
/// Bytes of one nested archive that is compressed: it is inflated in memory. One that is stored is read in place.
const MAX_NESTED: u64 = 128 * MIB;
/// Bytes of one properties file or manifest; manifests with a digest for each class take 2 MiB.
const MAX_TEXT: u64 = 8 * MIB;

fn extract(bytes: &[u8], found: &mut Found) {
    let place = found.path.rsplit('/').next().unwrap_or_default().to_owned();
    Reading { budget: MAX_INFLATED, found }.archive(bytes, &place, 1);
}

/// One outermost archive while it is read.
struct Reading<'a> {
    /// Bytes that may still be inflated.
    budget: u64,
    found: &'a mut Found,
}

impl Reading<'_> {
    /// Reads one archive; `place` is its name, after those of the archives around it.
    fn archive(&mut self, bytes: &[u8], place: &str, depth: usize) {
        let archive = match Archive::open(bytes) {
            Ok(archive) => archive,
            Err(reason) => {
                return self.found.unreadable(format!("{place} is no archive: {reason}"));
            }
        };
        let file_name = FileName::parse(place.rsplit(['/', '!']).next().unwrap_or_default());
        let (mut named, mut has_own, mut manifest, mut has_nested) = (false, false, None, false);
        for member in archive.members() {
            let member = match member {
                Ok(member) => member,
                Err(reason) => {
                    self.found.unreadable(format!("{place} cannot be read further: {reason}"));
                    break;
                }
            };
            if member.name.ends_with("/pom.properties") && member.name.contains("META-INF/maven/") {
                named = true;
                has_own |= self.module(&archive, &member, place, &file_name);
            } else if member.name.eq_ignore_ascii_case("META-INF/MANIFEST.MF") {
                manifest = Some(member);
            } else if is_nested(&member.name) {
                has_nested = true;
            }
        }
        if !has_own {
            let text = manifest.and_then(|member| self.text(&archive, &member, place));
            let manifest = Manifest::parse(&text.unwrap_or_default());
            match identity(&file_name, &manifest) {
                Some((name, version)) => self.found.package(Ecosystem::Maven, name, version),
                None if !named && !has_nested => {
                    let message = format!("nothing in {place} says which module it is");
                    self.found.note("jar-without-identity", message);
                }
                None => {}
            }
        }
        if has_nested {
            let nested = archive.members().flatten().filter(|member| is_nested(&member.name));
            nested.for_each(|member| self.nested(&archive, &member, place, depth));
        }
    }

    /// Adds what a `pom.properties` names; whether that is the archive's own module.
    fn module(
        &mut self,
        archive: &Archive<'_>,
        member: &Member<'_>,
        place: &str,
        own: &FileName<'_>,
    ) -> bool {
        let Some(text) = self.text(archive, member, place) else { return false };
        let value = |key: &str| {
            let pairs = text.lines().filter_map(|line| line.split_once(['=', ':']));
            let mut values =
                pairs.filter(|(own, _)| own.trim() == key).map(|(_, value)| value.trim());
            values.find(|value| !value.is_empty() && !value.contains("${"))
        };
        match (value("groupId"), value("artifactId"), value("version")) {
            (Some(group), Some(artifact), Some(version)) => {
                self.found.package(Ecosystem::Maven, format!("{group}:{artifact}"), version);
                own.is_of(artifact)
            }
            _ => {
                let message = format!("{} in {place} names no module", member.name.escape_debug());
                self.found.unreadable(message);
                false
            }
        }
    }

    fn text(&mut self, archive: &Archive<'_>, member: &Member<'_>, place: &str) -> Option<String> {
        let bytes = self.inflate(archive, member, place, MAX_TEXT)?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn nested(&mut self, archive: &Archive<'_>, member: &Member<'_>, place: &str, depth: usize) {
        let inner = format!("{place}!{}", member.name.escape_debug());
        if depth >= MAX_DEPTH {
            let message =
                format!("limit reached: {MAX_DEPTH} archives within each other, at {inner}");
            return self.found.unreadable(message);
        }
        match archive.stored(member) {
            Some(stored) => match self.budget.checked_sub(stored.len() as u64) {
                Some(rest) => {
                    self.budget = rest;
                    self.archive(stored, &inner, depth + 1);
                }
                None => self.over_budget(&inner),
            },
            None => {
                if let Some(bytes) = self.inflate(archive, member, place, MAX_NESTED) {
                    self.archive(&bytes, &inner, depth + 1);
                }
            }
        }
    }

    /// The member's content within `cap` and what is left of the budget; else a gap that says why not.
    fn inflate(
        &mut self,
        archive: &Archive<'_>,
        member: &Member<'_>,
        place: &str,
        cap: u64,
    ) -> Option<Vec<u8>> {
        let allowed = cap.min(self.budget);
        let inner = || format!("{place}!{}", member.name.escape_debug());
        match archive.read(member, allowed) {
            Ok(bytes) => {
                self.budget -= bytes.len() as u64;
                return Some(bytes);
            }
            Err(ReadError::Broken(reason)) => {
                self.found.unreadable(format!("{} cannot be read: {reason}", inner()));
            }
            Err(ReadError::OverLimit) => {
                self.budget -= allowed;
                if allowed < cap {
                    self.over_budget(&inner());
                } else {
                    let message = format!("limit reached: {} has over {cap} bytes", inner());
                    self.found.unreadable(message);
                }
            }
        }
        None
    }

    fn over_budget(&mut self, place: &str) {
        self.found.unreadable(format!("limit reached: {MAX_INFLATED} bytes inflated, at {place}"));
    }
}

fn is_nested(name: &str) -> bool {
    NESTED.iter().any(|end| {
        let at = name.len().checked_sub(end.len());
        at.and_then(|at| name.get(at..)).is_some_and(|own| own.eq_ignore_ascii_case(end))
    })
}

#[cfg(test)]
#[path = "jar_tests.rs"]
pub(super) mod tests;

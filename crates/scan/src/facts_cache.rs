//! Facts of layers by diffID and extractor version: a directory of immutable files, shared by any number of processes.
//!
//! ```text
//! v1/HEX: diffID, line feed, encoded facts
//! ```
use seawall_extract::{EXTRACTOR_VERSION, LayerFacts, decode, encode};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Bytes of one file: 3 million paths take 24 MiB.
const MAX_FACTS: u64 = 512 * 1024 * 1024;

/// A folder that may be deleted at any time; what is missing is read again.
#[derive(Clone, Debug)]
pub struct FactsCache {
    directory: PathBuf,
}

impl FactsCache {
    /// Facts lie in `directory/VERSION/HEX`. Nothing is made before the first write.
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.join(format!("v{EXTRACTOR_VERSION}")) }
    }

    /// The facts of that layer; `None` if they are unknown, or the file is damaged or another layer's.
    pub(crate) fn get(&self, diff_id: &str) -> Option<LayerFacts> {
        let file = File::open(self.path(diff_id)?).ok()?;
        let mut bytes =
            Vec::with_capacity(usize::try_from(file.metadata().ok()?.len().min(MAX_FACTS)).ok()?);
        file.take(MAX_FACTS).read_to_end(&mut bytes).ok()?;
        let facts = bytes.strip_prefix(diff_id.as_bytes())?.strip_prefix(b"\n")?;
        decode(facts).ok().filter(|facts| facts.extractor_version == EXTRACTOR_VERSION)
    }

    /// Keeps the facts; the file appears whole or not at all.
    pub(crate) fn put(&self, diff_id: &str, facts: &LayerFacts) -> io::Result<()> {
        let Some(path) = self.path(diff_id) else { return Ok(()) };
        fs::create_dir_all(&self.directory)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        // A name alone binds nothing: whoever copies or renames a file would give a layer another one's packages.
        file.write_all(diff_id.as_bytes())?;
        file.write_all(b"\n")?;
        file.write_all(&encode(facts))?;
        file.persist(path).map(|_| ()).map_err(|error| error.error)
    }

    /// A digest comes from an image's config: only hex may name a file.
    fn path(&self, diff_id: &str) -> Option<PathBuf> {
        let hex = diff_id.strip_prefix("sha256:")?;
        let plain = hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        plain.then(|| self.directory.join(hex))
    }
}

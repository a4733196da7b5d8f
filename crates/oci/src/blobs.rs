//! Where a layer's bytes come from.
use crate::bounds;
use crate::error::OpenError;
use crate::registry;
use std::io::{self, Read};

/// A byte stream and the length it should have, where that is known.
pub(crate) struct Blob {
    pub(crate) reader: Box<dyn Read + Send>,
    pub(crate) size: Option<u64>,
}

/// A store that gives blobs by key: a digest, or a path in an archive. `None`: it is not there.
pub(crate) trait Blobs: Send + Sync {
    fn blob(&self, key: &str) -> io::Result<Option<Blob>>;

    /// A manifest or index; registries keep these elsewhere than the rest.
    fn manifest(&self, key: &str) -> io::Result<Option<Blob>> {
        self.blob(key)
    }
}

/// Reads a whole small document.
pub(crate) fn document(what: &str, blobs: &dyn Blobs, key: &str) -> Result<Vec<u8>, OpenError> {
    whole(what, blobs.blob(key))
}

/// Reads a whole manifest or index.
pub(crate) fn manifest(what: &str, blobs: &dyn Blobs, key: &str) -> Result<Vec<u8>, OpenError> {
    whole(what, blobs.manifest(key))
}

fn whole(what: &str, blob: io::Result<Option<Blob>>) -> Result<Vec<u8>, OpenError> {
    let failed = |error: io::Error| match error.downcast::<registry::Error>() {
        Ok(error) => OpenError::Registry(error),
        Err(source) => OpenError::Read { path: what.into(), source },
    };
    let Some(blob) = blob.map_err(failed)? else {
        return Err(OpenError::Missing { what: what.to_owned() });
    };
    let mut bytes = Vec::new();
    blob.reader.take(bounds::DOCUMENT + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > bounds::DOCUMENT {
        return Err(OpenError::Limit { what: what.to_owned(), limit: bounds::DOCUMENT });
    }
    Ok(bytes)
}

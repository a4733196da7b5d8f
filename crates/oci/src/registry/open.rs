//! An image of a registry as a store of blobs.
use super::blob;
use super::client::{self, Manifest, Registry};
use super::error::{Error, ErrorKind};
use super::name::Name;
use crate::blobs::{Blob, Blobs};
use crate::error::OpenError;
use crate::image::{self, Image};
use crate::layout;
use crate::manifest::Descriptor;
use std::collections::HashMap;
use std::io::{self, Cursor};
use std::sync::{Arc, OnceLock};

/// Opens the image that the name has now.
pub(crate) fn open(name: &Name, options: &image::Options) -> Result<Image, OpenError> {
    let registry = Arc::new(Registry::new(&options.registry)?);
    let top = registry.manifest(name)?;
    let target = Descriptor {
        media_type: Some(top.media_type.clone()),
        artifact_type: None,
        digest: top.digest.clone(),
        size: top.bytes.len() as u64,
        platform: None,
        annotations: None,
    };
    let store = Arc::new(Store { registry, name: name.clone(), top, sizes: OnceLock::new() });
    let image = layout::image(store.clone(), &target, name.to_string(), options)?;
    let sizes = image.layers.iter().filter_map(|layer| Some((layer.digest.clone()?, layer.size?)));
    store.sizes.get_or_init(|| sizes.collect());
    Ok(image)
}

struct Store {
    registry: Arc<Registry>,
    name: Name,
    /// What the name led to.
    top: Manifest,
    /// Bytes of layers by digest, as the manifest says.
    sizes: OnceLock<HashMap<String, u64>>,
}

impl Blobs for Store {
    fn blob(&self, key: &str) -> io::Result<Option<Blob>> {
        let size = self.sizes.get().and_then(|sizes| sizes.get(key)).copied();
        let ask = client::blob(&self.name, key);
        let Some(reader) = found(blob::open(self.registry.clone(), ask, size))? else {
            return Ok(None);
        };
        Ok(Some(Blob { size: reader.length(), reader: Box::new(reader) }))
    }

    fn manifest(&self, key: &str) -> io::Result<Option<Blob>> {
        let bytes = if key == self.top.digest {
            Some(self.top.bytes.clone())
        } else {
            found(self.registry.manifest(&self.name.at(key)))?.map(|manifest| manifest.bytes)
        };
        Ok(bytes.map(|bytes| Blob {
            size: Some(bytes.len() as u64),
            reader: Box::new(Cursor::new(bytes)),
        }))
    }
}

fn found<T>(outcome: Result<T, Error>) -> io::Result<Option<T>> {
    match outcome {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::other(error)),
    }
}

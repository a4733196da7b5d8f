//! Images that were looked up, so that a hundred containers of one cost one question.
use seawall_model::image::ImageRef;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Images kept per runtime.
const MAX_IMAGES: usize = 1_024;

pub(crate) struct ImageCache<K> {
    known: Arc<Mutex<HashMap<K, ImageRef>>>,
}

impl<K> Default for ImageCache<K> {
    fn default() -> Self {
        Self { known: Arc::default() }
    }
}

impl<K> Clone for ImageCache<K> {
    fn clone(&self) -> Self {
        Self { known: Arc::clone(&self.known) }
    }
}

impl<K: Eq + Hash> ImageCache<K> {
    pub(crate) fn get(&self, key: &K) -> Option<ImageRef> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    pub(crate) fn set(&self, key: K, image: ImageRef) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_IMAGES {
            known.clear();
        }
        known.insert(key, image);
    }
}

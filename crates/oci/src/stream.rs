//! Readers that count, hash and stop at limits.
use crate::bounds;
use crate::digest;
use crate::visit::Meters;
use sha2::{Digest, Sha256};
use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};

/// Counts and hashes all that passes.
pub(crate) struct HashReader<R> {
    inner: R,
    hash: Sha256,
    count: Count,
    failure: Option<String>,
}

/// A byte count that another reader of the same thread may look at.
pub(crate) type Count = std::rc::Rc<Cell<u64>>;

impl<R: Read> HashReader<R> {
    pub(crate) fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new(), count: Count::default(), failure: None }
    }

    pub(crate) fn count(&self) -> Count {
        self.count.clone()
    }

    pub(crate) fn digest(&self) -> String {
        digest::text(&self.hash.clone().finalize())
    }

    /// The first error of the source itself, which a decoder above may have given as its own or as an early end.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }
}

impl<R: Read> Read for HashReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer).inspect_err(|error| {
            if !matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof) {
                self.failure.get_or_insert_with(|| error.to_string());
            }
        })?;
        self.hash.update(&buffer[..read]);
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Stops inflation at the image's limits. `compressed` counts what went in.
pub(crate) struct BoundedReader<'a, R> {
    pub(crate) inner: R,
    pub(crate) meters: &'a Meters,
    pub(crate) compressed: Option<Count>,
    pub(crate) inflated: u64,
}

impl<R: Read> Read for BoundedReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.inflated += read as u64;
        if !self.meters.inflated(read as u64) {
            return Err(limit("inflated bytes per image", bounds::INFLATED));
        }
        if let Some(compressed) = &self.compressed {
            let over = self.inflated > bounds::RATIO_AFTER
                && self.inflated / compressed.get().max(1) > bounds::RATIO;
            if over {
                return Err(limit("inflated to compressed bytes", bounds::RATIO));
            }
        }
        Ok(read)
    }
}

/// A limit that ended a stream, as the cause inside an [`io::Error`].
#[derive(Debug)]
pub(crate) struct LimitReached {
    what: &'static str,
    limit: u64,
}

impl fmt::Display for LimitReached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit reached: {}, {}", self.what, self.limit)
    }
}

impl std::error::Error for LimitReached {}

pub(crate) fn limit(what: &'static str, limit: u64) -> io::Error {
    io::Error::other(LimitReached { what, limit })
}

pub(crate) fn is_limit(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<LimitReached>())
}

//! A blob as a stream that goes on where a connection was cut.
use super::client::Registry;
use super::error::{Error, ErrorKind};
use super::session::{self, Ask, Session};
use reqwest::{Response, StatusCode};
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Cuts of one blob after which it is given up, however much came between them: a layer of 50 GB on a bad line.
const CUTS: u32 = 50;

/// Waiting for a blob's parts from which its rate is judged.
const SETTLED: Duration = Duration::from_secs(60);
/// Bytes per second of waiting below which a blob is given up: a modem brings more.
const SLOWEST: u64 = 1024;

/// Opens the blob. `size` is what the manifest says; a longer one is refused, or its end would never come.
pub(super) fn open(
    registry: Arc<Registry>,
    ask: Ask,
    size: Option<u64>,
) -> Result<BlobReader, Error> {
    let mut stream = Stream {
        ask,
        answer: None,
        size,
        length: None,
        at: 0,
        surplus: 0,
        cuts: 0,
        fruitless: 0,
        pace: Pace::default(),
    };
    registry.runtime.block_on(stream.connect(&registry.session))?;
    Ok(BlobReader { registry, stream, chunk: Vec::new(), from: 0, failed: None })
}

/// The parts of a stream as bytes.
pub(super) struct BlobReader {
    registry: Arc<Registry>,
    stream: Stream,
    chunk: Vec<u8>,
    from: usize,
    /// What ended it; it is not tried again.
    failed: Option<Error>,
}

impl BlobReader {
    pub(super) fn length(&self) -> Option<u64> {
        self.stream.length
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.from == self.chunk.len() {
            if let Some(error) = &self.failed {
                return Err(io::Error::other(error.clone()));
            }
            let next = self.stream.next(&self.registry.session);
            match self.registry.runtime.block_on(next) {
                Ok(Some(chunk)) => (self.chunk, self.from) = (chunk, 0),
                Ok(None) => return Ok(0),
                Err(error) => self.failed = Some(error),
            }
        }
        let left = &self.chunk[self.from..];
        let most = left.len().min(buffer.len());
        buffer[..most].copy_from_slice(&left[..most]);
        self.from += most;
        Ok(most)
    }
}

struct Stream {
    ask: Ask,
    answer: Option<Response>,
    /// Bytes by the manifest.
    size: Option<u64>,
    /// Bytes by the first answer.
    length: Option<u64>,
    /// Bytes given so far.
    at: u64,
    /// Bytes that a server sends again because it does not know of ranges.
    surplus: u64,
    cuts: u32,
    /// Cuts since something came.
    fruitless: u32,
    pace: Pace,
}

/// What came over one connection, and how long it was waited for.
#[derive(Default)]
struct Pace {
    bytes: u64,
    waited: Duration,
}

impl Pace {
    fn is_too_slow(&self) -> bool {
        self.waited > SETTLED && self.bytes / self.waited.as_secs().max(1) < SLOWEST
    }
}

impl Stream {
    /// The next part; `None` at the end.
    async fn next(&mut self, session: &Session) -> Result<Option<Vec<u8>>, Error> {
        loop {
            if self.answer.is_none() {
                self.connect(session).await?;
            }
            let Some(answer) = &mut self.answer else { continue };
            let start = Instant::now();
            let came = answer.chunk().await;
            self.pace.waited += start.elapsed();
            let error = match came {
                Ok(Some(bytes)) => {
                    self.pace.bytes += bytes.len() as u64;
                    if self.pace.is_too_slow() {
                        return Err(self.too_slow());
                    }
                    match self.taken(&bytes)? {
                        [] => continue,
                        new => return Ok(Some(new.to_vec())),
                    }
                }
                Ok(None) if self.wanted().is_none_or(|wanted| self.at >= wanted) => {
                    return Ok(None);
                }
                Ok(None) => self.invalid("the answer ends before its length"),
                Err(error) => Error::unreachable(&self.ask.registry, &self.ask.step, error),
            };
            self.cut(session, error).await?;
        }
    }

    /// Bytes that there should be, as far as anybody said.
    fn wanted(&self) -> Option<u64> {
        self.length.or(self.size)
    }

    /// What of `bytes` is new.
    fn taken<'b>(&mut self, bytes: &'b [u8]) -> Result<&'b [u8], Error> {
        let again = usize::try_from(self.surplus).unwrap_or(usize::MAX).min(bytes.len());
        self.surplus -= again as u64;
        let new = &bytes[again..];
        if !new.is_empty() {
            self.fruitless = 0;
        }
        self.at += new.len() as u64;
        match self.size {
            Some(size) if self.at > size => {
                Err(self.invalid(&format!("it is longer than the {size} bytes of its manifest")))
            }
            _ => Ok(new),
        }
    }

    /// Waits, so that the next part comes over a new connection; or gives up with what went wrong last.
    async fn cut(&mut self, session: &Session, mut error: Error) -> Result<(), Error> {
        self.answer = None;
        self.cuts += 1;
        self.fruitless += 1;
        if self.cuts > CUTS || self.fruitless >= session.transport.pace.tries {
            let (cuts, at) = (self.cuts, self.at);
            error.reason = format!(
                "the connection was cut {cuts} times, at last after {at} bytes: {}",
                error.reason
            );
            return Err(error);
        }
        tokio::time::sleep(session.transport.backoff(self.fruitless)).await;
        Ok(())
    }

    async fn connect(&mut self, session: &Session) -> Result<(), Error> {
        self.ask.from = self.at;
        let answer = session.request(&self.ask).await?;
        self.surplus = match (self.at, answer.status()) {
            (0, _) => {
                self.length = answer.content_length();
                0
            }
            (at, StatusCode::PARTIAL_CONTENT) => {
                let range = session::header(&answer, "content-range").unwrap_or_default();
                if range_start(&range) != Some(at) {
                    return Err(self.invalid("it sends another range than it was asked for"));
                }
                0
            }
            (at, _) => at,
        };
        (self.answer, self.pace) = (Some(answer), Pace::default());
        Ok(())
    }

    fn too_slow(&self) -> Error {
        let reason = format!("it comes at less than {SLOWEST} bytes a second");
        Error::new(ErrorKind::Unreachable, &self.ask.registry, &self.ask.step, reason)
    }

    fn invalid(&self, reason: &str) -> Error {
        Error::new(ErrorKind::Invalid, &self.ask.registry, &self.ask.step, reason)
    }
}

/// `bytes 7-9/10` → 7. Source: RFC 9110, section 14.4.
fn range_start(text: &str) -> Option<u64> {
    text.strip_prefix("bytes ")?.split_once('-')?.0.trim().parse().ok()
}

#[test]
fn a_blob_that_trickles_is_given_up() {
    #[track_caller]
    fn check(bytes: u64, seconds: u64, expected: bool) {
        let pace = Pace { bytes, waited: Duration::from_secs(seconds) };
        assert_eq!(pace.is_too_slow(), expected);
    }
    check(0, 59, false);
    check(61, 61, true);
    check(61 * SLOWEST, 61, false);
}

//! One layer: blob → hash → inflate → hash → tar → visitor, and what its end is worth.
use crate::bounds;
use crate::buffer;
use crate::image::{Image, Source};
use crate::stream::{BoundedReader, HashReader, is_limit};
use crate::tar::{self, End, Next, Skip, Tar};
use crate::tree::{self, TreeOptions};
use crate::visit::{Entry, EntryKind, Meters, Visitor};
use seawall_model::Problem;
use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, BufRead, BufReader, Read};

/// Bytes read at once: long enough that the cost per read vanishes.
const CHUNK: usize = 128 * 1024;

/// What the facts of a layer are worth.
#[derive(Clone, Debug, PartialEq)]
pub enum LayerEnd {
    /// Read to the end; every digest known for it agrees.
    Verified,
    /// Read to the end, from an unpacked copy that no digest covers.
    Unverified,
    /// What came before counts; the problem says what is missing.
    Partial(Problem),
    /// Complete, but not what its digest names: nothing of it may be used.
    Refused(Problem),
}

/// Reads layer `index` of `image` once. The second part are notes on entries that were left out.
pub fn read_layer(
    image: &Image,
    index: usize,
    visitor: &mut dyn Visitor,
    meters: &Meters,
) -> (LayerEnd, Vec<Problem>) {
    let layer = &image.layers[index];
    let mut dropped = Dropped::default();
    let end = match &layer.source {
        Source::Absent(problem) => LayerEnd::Partial(problem.clone()),
        Source::Tree(root) => {
            let walk = tree::walk_tree(root, &TreeOptions::overlay(), visitor, meters);
            dropped.problems.extend(walk.problems);
            match walk.stopped {
                Some(problem) => LayerEnd::Partial(problem),
                None => LayerEnd::Unverified,
            }
        }
        Source::Blob(key) => match image.blobs.blob(key) {
            Ok(Some(blob)) => {
                let expected = Expected {
                    name: format!("layer {} ({})", index + 1, layer.diff_id),
                    size: layer.size.or(blob.size),
                    digest: layer.digest.as_deref(),
                    diff_id: &layer.diff_id,
                };
                stream(blob.reader, &expected, visitor, meters, &mut dropped)
            }
            Ok(None) => LayerEnd::Partial(missing(&format!("layer {} ({key})", index + 1))),
            Err(error) => {
                LayerEnd::Partial(unreadable(&format!("layer {} ({key})", index + 1), error))
            }
        },
    };
    (end, dropped.finish(&layer.diff_id))
}

pub(crate) fn missing(layer: &str) -> Problem {
    Problem::gap("layer-missing", format!("{layer} is missing"))
        .help("save or pull the image again, with all its layers")
}

fn unreadable(layer: &str, error: impl Display) -> Problem {
    Problem::gap("layer-unreadable", format!("{layer} cannot be read: {error}"))
}

/// What a layer should be.
struct Expected<'a> {
    name: String,
    size: Option<u64>,
    /// Of the blob; archives of docker-save have none.
    digest: Option<&'a str>,
    diff_id: &'a str,
}

fn stream(
    blob: Box<dyn Read + Send>,
    expected: &Expected<'_>,
    visitor: &mut dyn Visitor,
    meters: &Meters,
    dropped: &mut Dropped,
) -> LayerEnd {
    let mut raw = HashReader::new(blob);
    let inner = inflate(&mut raw, visitor, meters, dropped);
    // The rest of the blob decides whether it is the one named, however its content fared.
    let drained = io::copy(&mut raw, &mut io::sink());
    let name = &expected.name;
    if let Some(failure) = raw.failure() {
        return LayerEnd::Partial(unreadable(name, failure));
    }
    let size = raw.count().get();
    let short = expected.size.is_some_and(|wanted| size < wanted);
    if let (Ok(_), false, Some(digest)) = (&drained, short, expected.digest) {
        let actual = raw.digest();
        if actual != digest {
            return refused(format!("{name}: the blob has digest {actual}, expected {digest}"));
        }
    }
    if let (true, Some(wanted)) = (short, expected.size) {
        let message = format!("{name} ends early: {size} of {wanted} bytes");
        return LayerEnd::Partial(Problem::gap("layer-cut-short", message));
    }
    let inner = match (inner, drained) {
        (Ok(inner), Ok(_)) => inner,
        (Err(error), _) | (_, Err(error)) => return LayerEnd::Partial(partial(name, &error)),
    };
    let actual = inner.diff_id.unwrap_or_else(|| raw.digest());
    match (actual == expected.diff_id, inner.end) {
        (true, _) => LayerEnd::Verified,
        (false, End::Unmarked) => {
            let message = format!("{name} ends early: its tar has no end");
            LayerEnd::Partial(Problem::gap("layer-cut-short", message))
        }
        (false, End::Marked) => {
            let wanted = expected.diff_id;
            refused(format!("{name}: the content has digest {actual}, expected {wanted}"))
        }
    }
}

fn refused(message: String) -> LayerEnd {
    let help = "the image was altered or damaged: fetch it again from its source";
    LayerEnd::Refused(Problem::error("digest-mismatch", message).help(help))
}

fn partial(name: &str, error: &io::Error) -> Problem {
    let (code, what) = match error.kind() {
        _ if is_limit(error) => ("limit-reached", "is read in part"),
        io::ErrorKind::UnexpectedEof => ("layer-cut-short", "ends early"),
        _ => ("layer-broken", "is broken"),
    };
    Problem::gap(code, format!("{name} {what}: {error}"))
}

struct Inner {
    /// `None`: the blob is not compressed, so its digest is the diffID.
    diff_id: Option<String>,
    end: End,
}

fn inflate<R: Read>(
    raw: &mut HashReader<R>,
    visitor: &mut dyn Visitor,
    meters: &Meters,
    dropped: &mut Dropped,
) -> io::Result<Inner> {
    let compressed = raw.count();
    let mut buffered = BufReader::with_capacity(CHUNK, raw);
    let Some((format, decoder)) = decoder(&mut buffered)? else {
        let kind = io::ErrorKind::InvalidData;
        return Err(io::Error::new(kind, "compressed in a way that is not supported"));
    };
    let plain = format == Format::Plain;
    let compressed = (!plain).then_some(compressed);
    let bounded = BoundedReader { inner: decoder, meters, compressed, inflated: 0 };
    if plain {
        let end = walk(
            &mut Tar::new(BufReader::with_capacity(CHUNK, bounded)),
            visitor,
            meters,
            dropped,
        )?;
        return Ok(Inner { diff_id: None, end });
    }
    let mut content = HashReader::new(bounded);
    let tar = BufReader::with_capacity(CHUNK, &mut content);
    let end = walk(&mut Tar::new(tar), visitor, meters, dropped)?;
    io::copy(&mut content, &mut io::sink())?;
    Ok(Inner { diff_id: Some(content.digest()), end })
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Gzip,
    Zstd,
}

/// The decoder that the first bytes ask for, whatever a media type says; `None` for formats no image should have.
pub(crate) fn decoder<'a>(
    reader: &'a mut dyn BufRead,
) -> io::Result<Option<(Format, Box<dyn Read + 'a>)>> {
    let magic = reader.fill_buf()?;
    Ok(match magic {
        [0x1f, 0x8b, ..] => {
            Some((Format::Gzip, Box::new(flate2::bufread::MultiGzDecoder::new(reader))))
        }
        // A zstd frame or a skippable frame, as eStargz's and zstd:chunked's tables of contents.
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
            Some((Format::Zstd, Box::new(zstd::stream::read::Decoder::with_buffer(reader)?)))
        }
        [0xfd, b'7', b'z', b'X', b'Z', ..] | [b'B', b'Z', b'h', ..] => None,
        _ => Some((Format::Plain, Box::new(reader))),
    })
}

/// Passes over what is not wanted without copying it.
impl<R: Read> Skip for BufReader<R> {
    fn skip(&mut self, bytes: u64) -> io::Result<u64> {
        let mut left = bytes;
        while left > 0 {
            let available = match self.fill_buf() {
                Ok(available) => available.len(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if available == 0 {
                break;
            }
            let most = usize::try_from(left).unwrap_or(usize::MAX).min(available);
            self.consume(most);
            left -= most as u64;
        }
        Ok(bytes - left)
    }
}

fn walk<R: Skip>(
    tar: &mut Tar<R>,
    visitor: &mut dyn Visitor,
    meters: &Meters,
    dropped: &mut Dropped,
) -> io::Result<End> {
    loop {
        let header = match tar.next()? {
            Next::Entry(header) => header,
            Next::End(end) => return Ok(end),
        };
        if !meters.entry() {
            return Err(crate::stream::limit("entries per image", bounds::ENTRIES));
        }
        let entry = match header.entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => continue,
            Err(reason) => {
                match reason {
                    tar::TOO_LONG => dropped.gap(reason, &header.shown_name()),
                    _ => dropped.note(reason, &header.shown_name()),
                }
                continue;
            }
        };
        if entry.kind != EntryKind::File {
            visitor.want(&entry);
        } else if header.sparse {
            sparse(&entry, visitor);
        } else {
            buffer::offer(&entry, tar, visitor)?;
        }
    }
}

/// A sparse file's content in the stream is a map, not the file: a wanted one is a gap.
fn sparse(entry: &Entry, visitor: &mut dyn Visitor) {
    if !matches!(visitor.want(entry), crate::visit::Want::Skip) {
        let problem =
            Problem::gap("sparse-file", "a sparse tar entry is not read").file(&entry.path);
        visitor.refused(entry, problem);
    }
}

/// Entries left out, by reason; a few of each are named.
#[derive(Default)]
pub(crate) struct Dropped {
    reasons: BTreeMap<(bool, &'static str), (u64, Vec<String>)>,
    problems: Vec<Problem>,
}

impl Dropped {
    /// No path that a runtime should unpack: the result is complete without it.
    pub(crate) fn note(&mut self, reason: &'static str, name: &str) {
        self.add(false, reason, name);
    }

    /// Something that a limit or an error kept from being read.
    pub(crate) fn gap(&mut self, reason: &'static str, name: &str) {
        self.add(true, reason, name);
    }

    fn add(&mut self, gap: bool, reason: &'static str, name: &str) {
        let (count, names) = self.reasons.entry((gap, reason)).or_default();
        *count += 1;
        if *count <= bounds::NAMED_PROBLEMS {
            names.push(name.chars().take(200).collect());
        }
    }

    pub(crate) fn finish(self, place: &str) -> Vec<Problem> {
        let mut problems = self.problems;
        problems.extend(self.reasons.into_iter().map(|((gap, reason), (count, names))| {
            let message = format!("{count} left out, {reason}: {}", names.join(", "));
            let problem = match gap {
                true => Problem::gap("entry-not-read", message),
                false => Problem::note("entry-dropped", message),
            };
            problem.item(place)
        }));
        problems
    }
}

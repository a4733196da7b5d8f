//! Files as publishers pack them: plain, gzip, bzip2, xz, zstd, and archives of many documents in them.
//!
//! The first bytes say which; names of mirrors lie. Sources: RFC 1952, RFC 8878, the xz file format 1.2.1, bzip2 1.0.
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

/// Bytes read at once: streams are long, system calls cost.
const BUFFER: usize = 256 * 1024;
/// KiB that an xz stream may ask for its dictionary: the largest preset of the tool asks for 64 MiB.
const XZ_MEMORY: u32 = 192 * 1024;
/// Documents in one archive: Red Hat's had 300,000.
const DOCUMENTS: u64 = 4_000_000;

/// How much may come out. Bytes, inflated.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) whole: u64,
    pub(crate) document: u64,
}

/// The content of a file; reading on past `limit` bytes is an error, so is an end that comes too early.
pub(crate) fn open(path: &Path, limit: u64) -> io::Result<Box<dyn BufRead>> {
    inflate(Box::new(File::open(path)?), limit)
}

/// As [`open`], of bytes from anywhere.
pub(crate) fn inflate(packed: Box<dyn Read>, limit: u64) -> io::Result<Box<dyn BufRead>> {
    let mut packed = BufReader::with_capacity(BUFFER, packed);
    let plain: Box<dyn Read> = match packed.fill_buf()? {
        [0x1f, 0x8b, ..] => Box::new(flate2::bufread::MultiGzDecoder::new(packed)),
        [b'B', b'Z', b'h', ..] => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
            Box::new(lzma_rust2::XzReader::new_mem_limit(packed, true, XZ_MEMORY))
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(zstd::Decoder::with_buffer(packed)?),
        _ => Box::new(packed),
    };
    Ok(Box::new(BufReader::with_capacity(BUFFER, Limited { plain, left: limit, limit })))
}

/// Calls `each` with path and content of every file in a tar archive, packed in whatever way. Links and devices are
/// passed over. The error says why the archive as a whole cannot be trusted.
pub(crate) fn documents(
    packed: Box<dyn Read>,
    limits: Limits,
    mut each: impl FnMut(&str, &[u8]),
) -> Result<(), String> {
    let told = |error: io::Error| format!("not a whole archive: {error}");
    let mut archive = tar::Archive::new(inflate(packed, limits.whole).map_err(told)?);
    let mut text = Vec::new();
    for (count, entry) in (1..).zip(archive.entries().map_err(told)?) {
        let entry = entry.map_err(told)?;
        if count > DOCUMENTS {
            return Err(format!("it holds more than {DOCUMENTS} files"));
        }
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if entry.size() > limits.document {
            return Err(format!("{path} in it is larger than {} bytes", limits.document));
        }
        text.clear();
        let size = entry.size();
        let mut content = entry.take(limits.document);
        content.read_to_end(&mut text).map_err(told)?;
        if (text.len() as u64) < size {
            return Err("not a whole archive: it ends within a document".to_owned());
        }
        each(&path, &text);
    }
    Ok(())
}

/// Ends with an error instead of the byte past the limit.
struct Limited {
    plain: Box<dyn Read>,
    left: u64,
    limit: u64,
}

impl Read for Limited {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        let Some(left) = self.left.checked_sub(read as u64) else {
            return Err(io::Error::other(format!("it inflates to more than {} bytes", self.limit)));
        };
        self.left = left;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    /// Every packing of `text`.
    fn packed(text: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(text).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(text).unwrap();
        let options = lzma_rust2::XzOptions::with_preset(0);
        let mut xz = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
        xz.write_all(text).unwrap();
        vec![
            ("gzip", gzip.finish().unwrap()),
            ("bzip2", bzip2.finish().unwrap()),
            ("xz", xz.finish().unwrap()),
            ("zstd", zstd::encode_all(text, 1).unwrap()),
        ]
    }

    fn whole(packed: Vec<u8>, limit: u64) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        inflate(Box::new(io::Cursor::new(packed)), limit)
            .and_then(|mut plain| plain.read_to_end(&mut text))
            .map_err(|error| error.to_string())?;
        Ok(text)
    }

    #[test]
    fn every_packing_is_told_by_its_first_bytes() {
        let text: Vec<u8> = (0..200_000u32).map(|i| (i * 7 + i / 13) as u8).collect();
        assert_eq!(whole(text.clone(), 1 << 20).unwrap(), text, "plain");
        assert_eq!(whole(Vec::new(), 1).unwrap(), b"");
        for (how, packed) in packed(&text) {
            assert_eq!(whole(packed.clone(), 1 << 20).unwrap(), text, "{how}");
            assert!(whole(packed[..packed.len() / 2].to_vec(), 1 << 20).is_err(), "{how}: cut");
            assert!(whole(packed[..packed.len() - 1].to_vec(), 1 << 20).is_err(), "{how}: cut");
            let told = whole(packed.clone(), 199_999).unwrap_err();
            assert_eq!(told, "it inflates to more than 199999 bytes", "{how}");
            let twice = [packed.clone(), packed].concat();
            assert_eq!(whole(twice, 1 << 20).unwrap().len(), 400_000, "{how}: one after the other");
        }
    }

    #[test]
    fn archives_give_their_files() {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, text) in [("2024/a.json", "{}"), ("2024/b.json", "[1,2,3]")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, text.as_bytes()).unwrap();
        }
        let archive = builder.into_inner().unwrap();
        let read = |bytes: Vec<u8>, document| {
            let mut found = Vec::new();
            let limits = Limits { whole: 1 << 20, document };
            let each = |path: &str, text: &[u8]| found.push((path.to_owned(), text.len()));
            documents(Box::new(io::Cursor::new(bytes)), limits, each).map(|()| found)
        };
        let packed = zstd::encode_all(archive.as_slice(), 1).unwrap();
        let both = vec![("2024/a.json".to_owned(), 2), ("2024/b.json".to_owned(), 7)];
        assert_eq!(read(packed.clone(), 100).unwrap(), both);
        assert!(read(packed[..packed.len() - 8].to_vec(), 100).is_err());
        assert!(read(archive[..1026].to_vec(), 100).unwrap_err().starts_with("not a whole"));
        assert!(read(archive, 3).unwrap_err().contains("larger than 3 bytes"));
    }
}

//! Debian packages that Chisel cut slices out of, as Ubuntu's chiselled images have them.
//! Source: Chisel's documentation, "Chisel manifest", "jsonwall": one JSON object per line, compressed with zstd.
use crate::prelude::*;
use serde::Deserialize;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

/// Where the slice `base-files_chisel` puts the manifest, and where others beside dpkg's database look for it.
pub(crate) const PLACES: [&str; 2] = ["var/lib/chisel/manifest.wall", "var/lib/dpkg/manifest.wall"];

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "chisel",
    title: "Chisel manifest",
    // Any folder, since the name tells; the merge knows which one counts.
    route: Route::Files(&["**/manifest.wall"]),
    max_bytes: 16 * MIB, // Compressed, from some 200 bytes per path.
    extract: Extract::Bytes(extract),
};

/// Bytes inflated.
const MAX_INFLATED: u64 = 256 * MIB;
/// Bytes of one line; a path has at most 4 KiB.
const MAX_LINE: u64 = 64 * KIB;
/// Two to the power of so many bytes may zstd look back; Chisel's encoder does 8 MiB.
const MAX_WINDOW_LOG: u32 = 25;

/// The kinds of lines that matter; of the header only that the first line is one.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
enum Entry {
    Package {
        name: String,
        version: String,
        arch: Option<String>,
    },
    Content {
        slice: String,
        path: String,
    },
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Header {
    jsonwall: String,
}

/// Lines of contents come before those of packages. Source packages are not named.
fn extract(bytes: &[u8], found: &mut Found) {
    let mut decoder = match zstd::stream::read::Decoder::new(bytes) {
        Ok(decoder) => decoder,
        Err(error) => return found.unreadable(format!("not compressed with zstd: {error}")),
    };
    if let Err(error) = decoder.window_log_max(MAX_WINDOW_LOG) {
        return found.unreadable(format!("zstd takes no bound of its window: {error}"));
    }
    let mut reader = BufReader::new(decoder.take(MAX_INFLATED));
    let mut owned: HashMap<String, Vec<u64>> = HashMap::new();
    let mut packages = Vec::new();
    for number in 1.. {
        let mut line = Vec::new();
        match reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) if number == 1 => return found.unreadable("the manifest is empty"),
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                found.malformed(format!("the rest cannot be inflated: {error}"), number);
                break;
            }
        }
        if number == 1 {
            match serde_json::from_slice::<Header>(&line) {
                Ok(header) if header.jsonwall.starts_with("1.") => {}
                Ok(header) => {
                    found.unreadable(format!("jsonwall {} is not known", header.jsonwall))
                }
                Err(_) => found.malformed("the first line is no header of a jsonwall", number),
            }
            continue;
        }
        match serde_json::from_slice::<Entry>(&line) {
            Ok(Entry::Package { name, version, arch })
                if !name.is_empty() && !version.is_empty() =>
            {
                packages.push(FoundPackage {
                    arch,
                    ..FoundPackage::new(Ecosystem::Debian, name, version)
                });
            }
            Ok(Entry::Package { .. }) => {
                found.malformed("package has no name or no version", number)
            }
            Ok(Entry::Content { slice, path }) => {
                // `package_slice`; no package's name has an underscore.
                let package = slice.split('_').next().unwrap_or_default();
                if let Some(hash) = found.owned_by_package("", &path) {
                    owned.entry(package.to_owned()).or_default().push(hash);
                }
            }
            Ok(Entry::Other) => {}
            Err(error) => found.malformed(format!("line is no entry: {error}"), number),
        }
    }
    if reader.into_inner().limit() == 0 {
        found.unreadable(format!("limit reached: {MAX_INFLATED} bytes inflated"));
    }
    for mut package in packages {
        package.owned = owned.remove(&package.name).unwrap_or_default();
        found.packages.push(package);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::path_hash;

    fn wall(lines: &[&str]) -> Vec<u8> {
        zstd::stream::encode_all(lines.join("\n").as_bytes(), 1).unwrap()
    }

    const HEADER: &str = r#"{"jsonwall":"1.0","schema":"1.0","count":6}"#;
    const HELLO: &str = r#"{"kind":"package","name":"hello","version":"2.10-2ubuntu4","sha256":"75","arch":"amd64"}"#;

    #[test]
    fn entries() {
        let content = r#"{"kind":"content","slice":"hello_bins","path":"/usr/bin/hello"}"#;
        let path = r#"{"kind":"path","path":"/usr/bin/hello","mode":"0755","slices":["hello_bins"],"size":26856}"#;
        let all =
            wall(&[HEADER, content, HELLO, path, r#"{"kind":"slice","name":"hello_bins"}"#, ""]);
        check(&EXTRACTOR, &all, "hello 2.10-2ubuntu4");
        let package = &EXTRACTOR.run(&all).packages[0];
        assert_eq!(
            (package.arch.as_deref(), &package.owned[..]),
            (Some("amd64"), &[path_hash("usr/bin/hello")][..])
        );
        check(&EXTRACTOR, wall(&[HEADER]), "");
    }

    #[test]
    fn malformed() {
        let nameless = r#"{"kind":"package","version":"1"}"#;
        check(
            &EXTRACTOR,
            wall(&[HEADER, nameless, "rubbish", HELLO]),
            "hello 2.10-2ubuntu4; problem at line 2; problem at line 3",
        );
        check(&EXTRACTOR, wall(&[HELLO, HELLO]), "hello 2.10-2ubuntu4; problem at line 1");
        check(
            &EXTRACTOR,
            wall(&[&HEADER.replace("1.0", "2.0"), HELLO]),
            "hello 2.10-2ubuntu4; unreadable",
        );
        check(&EXTRACTOR, HEADER, "problem at line 1");
        check(&EXTRACTOR, "", "problem at line 1");
        check(&EXTRACTOR, wall(&[]), "unreadable");
        let whole = wall(&[HEADER, HELLO]);
        let cut = EXTRACTOR.run(&whole[..whole.len() - 4]);
        assert_eq!(cut.problems.len(), 1, "{cut:?}");
    }
}

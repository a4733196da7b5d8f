//! `bun.lock`, the text lock file of Bun from 1.2, and the binary `bun.lockb` before it, which is told, not read.
//! Source: oven-sh/bun `docs/install/lockfile.md`, `src/install/lockfile/bun.lock.zig`.
//!
//! JSON with commas before closing brackets. Values of `packages` begin with the real `name@version`. Development
//! dependencies count, see `npm_lock`.
use super::lenient::{self, line_of};
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "bun-lock",
    title: "Bun lock file",
    route: Route::Locked(&["**/bun.lock", "**/bun.lockb"]),
    max_bytes: 64 * MIB, // 5,000 packages take 1 MiB.
    extract: Extract::Text(extract),
};

fn extract(text: &str, found: &mut Found) {
    if text.starts_with("#!/usr/bin/env bun") {
        let message = "a binary lock file of Bun before 1.2 is not read; `bun install --save-text-lockfile` writes the text";
        return found.unreadable(message);
    }
    let lock = lenient::json(&without_trailing_commas(text), found);
    for (key, package) in lock["packages"].as_object().into_iter().flatten() {
        let Some((name, version)) = package[0].as_str().and_then(|spec| split(spec)) else {
            found.malformed(format!("`{key}` names no package"), line_of(text, key));
            continue;
        };
        if version.starts_with(|first: char| first.is_ascii_digit()) {
            found.package(Ecosystem::Npm, name, version);
        } else if !["workspace:", "file:", "link:", "root:"]
            .iter()
            .any(|own| version.starts_with(own))
        {
            found.unlocked(name);
        }
    }
}

fn split(spec: &str) -> Option<(&str, &str)> {
    let skip = usize::from(spec.starts_with('@'));
    let at = spec[skip..].find('@')? + skip;
    (at > skip).then(|| (&spec[..at], &spec[at + 1..]))
}

/// Blanks each comma outside of strings that only white space parts from a closing bracket, so that places stay.
fn without_trailing_commas(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let (mut quoted, mut escaped, mut comma) = (false, false, None);
    for at in 0..bytes.len() {
        let byte = bytes[at];
        if quoted {
            quoted = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b',' => comma = Some(at),
            b'}' | b']' => {
                if let Some(at) = comma.take() {
                    bytes[at] = b' ';
                }
            }
            byte if byte.is_ascii_whitespace() => {}
            byte => {
                quoted = byte == b'"';
                comma = None;
            }
        }
    }
    String::from_utf8(bytes).expect("an ASCII byte took the place of another")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"{
  "lockfileVersion": 1,
  "workspaces": {
    "": {
      "name": "app",
      "dependencies": {
        "odd": "npm:is-odd@^3.0.1",
      },
    },
  },
  "packages": {
    "@types/node": ["@types/node@20.1.0", "", {}, "sha512-x,]"],

    "odd": ["is-odd@3.0.1", "", { "dependencies": { "is-number": "^6.0.0" } }, "sha512-y"],

    "member": ["member@workspace:packages/member"],

    "commit": ["commit@github:a/b#0123abc", {}, "a-b-0123abc"],
  }
}
"#;

    #[test]
    fn table() {
        check(&EXTRACTOR, LOCK, "@types/node 20.1.0, is-odd 3.0.1; 1 unlocked");
        check(&EXTRACTOR, "#!/usr/bin/env bun\nbun-lockfile-format-v0\n\0\0", "unreadable");
        check(&EXTRACTOR, "{\"packages\": {\"a\": [],\n}}", "problem at line 1");
        let cut = &LOCK[..LOCK.find("sha512-y").unwrap()];
        check(&EXTRACTOR, cut, "@types/node 20.1.0, is-odd 3.0.1; problem at line 14");
        check(&EXTRACTOR, "", "problem at line 1");
    }
}

//! `Gemfile.lock` and `gems.locked`. Source: rubygems/rubygems `bundler/lib/bundler/lockfile_parser.rb`.
//!
//! Gems under `PATH` are the project's own. Groups are not told apart, so development dependencies count.
use super::ruby_gemspec::without_platform;
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "gemfile-lock",
    title: "Bundler lock file",
    route: Route::Locked(&["**/Gemfile.lock", "**/gems.locked"]),
    max_bytes: 16 * MIB, // 500 gems take 30 KiB.
    extract: Extract::Text(extract),
};

/// Gems stand four columns in below `specs:`, what they need six.
fn extract(text: &str, found: &mut Found) {
    let (mut counts, mut in_specs) = (false, false);
    for (index, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start().len();
        match indent {
            _ if trimmed.is_empty() => {}
            0 => {
                if trimmed.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b' ') {
                    counts = matches!(trimmed, "GEM" | "GIT" | "PLUGIN SOURCE");
                    in_specs = false;
                } else {
                    // A mark of a conflict stands within a section.
                    found.malformed("line is no section", index + 1);
                }
            }
            2 => in_specs = trimmed == "specs:",
            4 if counts && in_specs => match gem(trimmed) {
                Some((name, version)) => {
                    found.package(Ecosystem::RubyGems, name, without_platform(version));
                }
                None => found.malformed("line is no `name (version)`", index + 1),
            },
            _ => {}
        }
    }
}

fn gem(line: &str) -> Option<(&str, &str)> {
    let (name, version) = line.strip_suffix(')')?.split_once(" (")?;
    (!name.is_empty() && !version.is_empty()).then_some((name, version))
}

#[test]
fn table() {
    let lock = "GIT\n  remote: https://example.org/forked.git\n  revision: 0123abc\n  specs:\n    forked (0.9.0)\n\nPATH\n  remote: .\n  specs:\n    own (0.1.0)\n      rack (>= 2)\n\n\
        GEM\n  remote: https://rubygems.example/\n  specs:\n    nokogiri (1.15.4-x86_64-linux)\n      racc (~> 1.4)\n    nokogiri (1.15.4-arm64-darwin)\n    racc (1.7.1)\n\n\
        PLATFORMS\n  arm64-darwin\n  x86_64-linux\n\nDEPENDENCIES\n  nokogiri\n  own!\n\nBUNDLED WITH\n   2.4.10\n";
    check(&EXTRACTOR, lock, "forked 0.9.0, nokogiri 1.15.4, racc 1.7.1");
    check(&EXTRACTOR, lock.replace('\n', "\r\n"), "forked 0.9.0, nokogiri 1.15.4, racc 1.7.1");
    let conflict = lock.replace("    racc (1.7.1)", "<<<<<<< HEAD\n    racc (1.7.1)");
    check(&EXTRACTOR, conflict, "forked 0.9.0, nokogiri 1.15.4, racc 1.7.1; problem at line 19");
    check(&EXTRACTOR, "GEM\n  specs:\n    a (1\n    b (2)\n", "b 2; problem at line 3");
    check(&EXTRACTOR, "", "");
}

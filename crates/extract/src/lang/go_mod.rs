//! `go.mod`: the modules that a Go module is built from. Source: Go Modules Reference, "go.mod files".
//!
//! From Go 1.17 on it lists all of them, those that others need as `// indirect`; older files list what the module
//! itself names, so the rest is a gap. What is linked is a module after `replace`. The standard library is that of the
//! toolchain: `toolchain` names one, `go` only the oldest that will do.
use super::go_buildinfo::toolchain;
use crate::prelude::*;
use std::collections::HashMap;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "go-mod",
    title: "Go module",
    route: Route::Locked(&["**/go.mod"]),
    max_bytes: 16 * MIB, // 2,000 modules take 150 KiB.
    extract: Extract::Text(extract),
};

/// First release whose `go.mod` is complete.
const COMPLETE_SINCE: (u32, u32) = (1, 17);

/// The lines of a `go.mod` or `go.work` that matter.
#[derive(Default)]
pub(super) struct ModFile<'a> {
    /// Path and version.
    pub(super) required: Vec<(&'a str, &'a str)>,
    pub(super) replaced: Vec<Replacement<'a>>,
    pub(super) go: Option<&'a str>,
    pub(super) toolchain: Option<&'a str>,
}

pub(super) struct Replacement<'a> {
    path: &'a str,
    /// `None` stands for all.
    version: Option<&'a str>,
    /// A module and its version, or a folder and nothing.
    pub(super) by: (&'a str, Option<&'a str>),
}

fn extract(text: &str, found: &mut Found) {
    let file = ModFile::read(text, found);
    file.standard_library(found);
    let mut replaced: HashMap<&str, Vec<&Replacement<'_>>> = HashMap::new();
    for replacement in &file.replaced {
        replaced.entry(replacement.path).or_default().push(replacement);
    }
    for (path, version) in &file.required {
        let of_path = || replaced.get(path).into_iter().flatten();
        // One for that very version comes before one for all.
        let replacement = of_path()
            .find(|own| own.version == Some(*version))
            .or_else(|| of_path().find(|own| own.version.is_none()));
        match replacement.map(|own| own.by) {
            None => found.package(Ecosystem::Go, *path, *version),
            Some((path, Some(version))) => found.package(Ecosystem::Go, path, version),
            Some((folder, None)) => {
                let message = format!("module {path} was replaced by the folder {folder}");
                found.note("go-module-without-version", message);
            }
        }
    }
    // Without a `go` line it is of 1.16 or older.
    let release = file.go.and_then(release).unwrap_or((1, 16));
    if release < COMPLETE_SINCE && !file.required.is_empty() {
        found.unlocked("the modules that those in a go.mod of before 1.17 need");
    }
}

impl<'a> ModFile<'a> {
    /// Reads line by line; one that is broken is a gap.
    pub(super) fn read(text: &'a str, found: &mut Found) -> Self {
        let mut file = Self::default();
        let mut block: Option<&str> = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let words: Vec<&str> =
                line.split_whitespace().map(|word| word.trim_matches(['"', '`'])).collect();
            let known = match (block, words.as_slice()) {
                (_, []) => true,
                (Some(_), [")"]) => {
                    block = None;
                    true
                }
                (None, [verb, "("]) => {
                    block = Some(verb);
                    true
                }
                (Some(verb), words) => file.line(verb, words),
                (None, [verb, words @ ..]) => file.line(verb, words),
            };
            if !known {
                found.malformed("line is no directive of go.mod", index + 1);
            }
        }
        file
    }

    fn line(&mut self, verb: &str, words: &[&'a str]) -> bool {
        match (verb, words) {
            ("require", [path, version]) => self.required.push((path, version)),
            ("replace", [path, "=>", by @ ..]) if !by.is_empty() => {
                self.replaced.push(Replacement {
                    path,
                    version: None,
                    by: (by[0], by.get(1).copied()),
                });
            }
            ("replace", [path, version, "=>", by @ ..]) if !by.is_empty() => {
                let by = (by[0], by.get(1).copied());
                self.replaced.push(Replacement { path, version: Some(version), by });
            }
            ("go", [version]) => self.go = Some(version),
            ("toolchain", [name]) => self.toolchain = Some(name),
            ("module" | "use" | "exclude" | "retract" | "tool" | "ignore" | "godebug", [_, ..]) => {
            }
            _ => return false,
        }
        true
    }

    pub(super) fn standard_library(&self, found: &mut Found) {
        match self.toolchain.filter(|name| *name != "default").map(toolchain) {
            Some(Some(version)) => found.package(Ecosystem::Go, "stdlib", version),
            Some(None) => found.note("go-toolchain-unreleased", "`toolchain` names no release"),
            None => {
                let message = "no `toolchain` is named, so the standard library is not known";
                found.note("go-toolchain-not-named", message);
            }
        }
    }
}

fn release(go: &str) -> Option<(u32, u32)> {
    let mut numbers = go.split(['.', 'r', 'b']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOD: &str = "module example.org/app\n\ngo 1.21.0\n\ntoolchain go1.21.3\n\nrequire (\n\tgolang.org/x/net v0.17.0\n\texample.org/old v1.0.0\n\texample.org/local v1.0.0\n)\n\n\
        require golang.org/x/text v0.13.0 // indirect\n\nrequire example.org/once v1.1.0\n\nreplace example.org/old => example.org/new v1.2.0\n\nreplace (\n\texample.org/local => ../local\n\t\
        example.org/once v1.0.0 => example.org/never v9.0.0\n)\n\nexclude golang.org/x/net v0.1.0\n\nretract [v0.1.0, v0.2.0]\n\ntool golang.org/x/tools/cmd/stringer\n";

    #[test]
    fn table() {
        check(
            &EXTRACTOR,
            MOD,
            "stdlib 1.21.3, golang.org/x/net v0.17.0, example.org/new v1.2.0, golang.org/x/text v0.13.0, \
            example.org/once v1.1.0; note go-module-without-version",
        );
        let note = "note go-toolchain-not-named";
        check(
            &EXTRACTOR,
            "module a\ngo 1.22\nrequire \"b.org/b\" v1.0.0\n",
            &format!("b.org/b v1.0.0; {note}"),
        );
        check(
            &EXTRACTOR,
            "module a\ngo 1.16\nrequire b.org/b v1.0.0\n",
            &format!("b.org/b v1.0.0; {note}; 1 unlocked"),
        );
        check(&EXTRACTOR, "module a\n", note);
        check(&EXTRACTOR, "module a\ngo 1.22\ntoolchain go1.22.1-custom\n", "stdlib 1.22.1");
        check(&EXTRACTOR, "module a\ngo 1.22\ntoolchain default\n", note);
    }

    #[test]
    fn broken() {
        let text = "module a\ngo 1.22\ntoolchain go1.22.1\n<<<<<<< HEAD\nrequire (\n\ta.org/a v1.0.0\n\tb.org/b\n";
        check(
            &EXTRACTOR,
            text,
            "stdlib 1.22.1, a.org/a v1.0.0; problem at line 4; problem at line 7",
        );
        check(&EXTRACTOR, "", "note go-toolchain-not-named");
    }
}

//! `cabal.project.freeze` of Haskell's cabal. Source: Cabal User Guide, "cabal freeze".
use crate::prelude::*;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "cabal-freeze",
    title: "Cabal freeze file",
    route: Route::Locked(&["**/cabal.project.freeze"]),
    max_bytes: 16 * MIB, // 300 packages take 20 KiB.
    extract: Extract::Text(extract),
};

/// Constraints between commas: `any.NAME ==VERSION` is a package, `NAME +flag -flag` how it is built.
fn extract(text: &str, found: &mut Found) {
    let mut constrains = false;
    for (index, line) in text.lines().enumerate() {
        let mut line = line.trim();
        if line.starts_with("--") {
            continue;
        }
        // A field's values go on over indented lines until the next field.
        if let Some((field, value)) = line.split_once(':')
            && field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            constrains = field.eq_ignore_ascii_case("constraints");
            line = value;
        }
        if constrains {
            line.split(',').for_each(|part| constraint(part.trim(), index + 1, found));
        }
    }
}

fn constraint(text: &str, line: usize, found: &mut Found) {
    let Some((name, version)) = text.split_once("==") else {
        let is_flags =
            text.split_once(' ').is_some_and(|(_, flags)| flags.trim().starts_with(['+', '-']));
        if !text.is_empty() && !is_flags && !text.ends_with(" installed") {
            found.malformed("constraint is no `any.NAME ==VERSION`", line);
        }
        return;
    };
    let name = name.trim();
    let name = name.strip_prefix("any.").unwrap_or(name);
    let version = version.trim();
    if name.is_empty() || version.is_empty() || version.contains([' ', '|', '*']) {
        found.malformed("constraint is no `any.NAME ==VERSION`", line);
    } else {
        found.package(Ecosystem::Hackage, name, version);
    }
}

#[test]
fn table() {
    let freeze = "active-repositories: hackage.haskell.org:merge\nconstraints: any.aeson ==2.1.2.1,\n             aeson -cffi +ordered-keymap,\n             any.base ==4.17.2.0,\n             \
        -- kept\n             any.text ==2.0.2\nindex-state: hackage.haskell.org 2023-08-01T00:00:00Z\n";
    check(&EXTRACTOR, freeze, "aeson 2.1.2.1, base 4.17.2.0, text 2.0.2");
    let conflict =
        freeze.replace("             any.base ==4.17.2.0,", "<<<<<<< HEAD\n any.base ==4.17.2.0,");
    check(&EXTRACTOR, conflict, "aeson 2.1.2.1, base 4.17.2.0, text 2.0.2; problem at line 4");
    check(&EXTRACTOR, "constraints: any.a ==", "problem at line 1");
    check(&EXTRACTOR, "", "");
}

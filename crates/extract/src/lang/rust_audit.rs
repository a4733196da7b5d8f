//! Crates that `cargo auditable` records in a program: zlib-compressed JSON in the section `.dep-v0`.
//! Source: rust-secure-code/cargo-auditable, `PARSING.md` and `cargo-auditable.schema.json`.
//!
//! Crates of build scripts and macros leave no code in the program, so they do not count; neither do the members of a
//! workspace, but for the one that is the program. A program of Rust without the section is a note, where its ELF file
//! says that rustc made it: nothing is known of what it holds.
use super::executable::{self, Kind};
use super::lenient;
use crate::prelude::*;
use object::{Object, ObjectSection};
use std::io::Read;

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "rust-audit",
    title: "Rust program",
    route: Route::Binary { needles },
    max_bytes: 4 * GIB, // As any program; read in place.
    extract: Extract::Bytes(extract),
};

const SECTION: &str = ".dep-v0";
/// What rustc writes into `.comment`, which `strip` leaves.
const COMMENT: &[u8] = b"rustc version ";
/// Bytes of JSON. A program of 1,000 crates takes 100 KiB.
const MAX_JSON: u64 = 16 * MIB;
/// Bytes before the table of sections of an ELF file that are looked through for its names, which take some 500.
const NAMES: u64 = MIB;
/// Bytes behind what is loaded of an ELF file that are looked through for the comment, which takes some 200; linkers may
/// put the crates before it.
const COMMENTS: u64 = 256 * KIB;
/// Bytes at the start of PE and Mach-O files in which the table of sections lies.
const TABLE: u64 = 4096;

/// The name of the section or rustc's comment. In ELF files the comment begins what is not loaded, and the names lie
/// before the table of sections at the end, with nothing but the names of symbols between; a program that lost the
/// comment lost those too. In the others the table is at the start.
fn needles(head: &[u8]) -> Vec<Needle> {
    let needle = |bytes, within| Needle { bytes, alignment: 1, within: Some(within) };
    match executable::kind(head) {
        Some(Kind::Elf) => {
            let start = executable::unloaded(head).unwrap_or(0);
            let end = executable::section_table(head).unwrap_or(u64::MAX).max(start);
            let names = (start.max(end.saturating_sub(NAMES)), end);
            vec![
                needle(SECTION.as_bytes(), names),
                needle(COMMENT, (start, start.saturating_add(COMMENTS))),
            ]
        }
        Some(Kind::Pe | Kind::MachO) => vec![needle(SECTION.as_bytes(), (0, TABLE))],
        // Each architecture has a table of its own, somewhere.
        Some(Kind::Fat) => vec![needle(SECTION.as_bytes(), (0, u64::MAX))],
        None => Vec::new(),
    }
}

/// `bytes` is a whole program. Headers that cannot be read are those of no program of Rust that anybody could run.
fn extract(bytes: &[u8], found: &mut Found) {
    let Ok(programs) = executable::open(bytes) else { return };
    for program in &programs {
        if let Some(section) = program.section_by_name(SECTION) {
            match section.data() {
                Ok(data) => crates(data, found),
                Err(_) => found.unreadable("the section `.dep-v0` lies outside the file"),
            }
        } else if made_by_rustc(program) {
            let message = "a program of Rust that does not record its crates";
            found.note("rust-crates-not-recorded", message);
        }
    }
}

fn made_by_rustc(program: &object::File<'_>) -> bool {
    let comment = program.section_by_name(".comment").and_then(|section| section.data().ok());
    // One line for each compiler that took part.
    let comment = comment.map(|data| &data[..data.len().min(TABLE as usize)]);
    comment.is_some_and(|data| data.windows(COMMENT.len()).any(|window| window == COMMENT))
}

fn crates(section: &[u8], found: &mut Found) {
    let mut json = String::new();
    let inflated = flate2::read::ZlibDecoder::new(section).take(MAX_JSON + 1);
    match { inflated }.read_to_string(&mut json) {
        Err(error) => return found.unreadable(format!("`.dep-v0` does not inflate: {error}")),
        Ok(_) if json.len() as u64 > MAX_JSON => {
            return found.unreadable(format!("limit reached: `.dep-v0` over {MAX_JSON} bytes"));
        }
        Ok(_) => {}
    }
    let value = lenient::json(&json, found);
    for package in value["packages"].as_array().into_iter().flatten() {
        let is_root = package["root"].as_bool() == Some(true);
        let is_built_in = package["kind"].as_str().is_none_or(|kind| kind == "runtime");
        let is_own = package["source"].as_str() == Some("local");
        if !is_built_in || (is_own && !is_root) {
            continue;
        }
        match (package["name"].as_str(), package["version"].as_str()) {
            (Some(name), Some(version)) => found.package(Ecosystem::CratesIo, name, version),
            _ => found.unreadable("`.dep-v0` lists a crate without name or version"),
        }
    }
}

#[cfg(test)]
#[path = "rust_audit_tests.rs"]
mod tests;

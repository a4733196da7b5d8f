//! Go modules that the linker records in a binary: toolchain, main module, dependencies.
//! Source: Go `debug/buildinfo/buildinfo.go` (both layouts), `runtime/debug/mod.go` (text form).
use super::executable::{self, writable};
use crate::prelude::*;
use object::{Object, ObjectSection, ObjectSegment, ObjectSymbol};

pub(crate) static EXTRACTOR: Extractor = Extractor {
    id: "go-buildinfo",
    title: "Go build information",
    route: Route::Binary { needles },
    max_bytes: 4 * GIB, // The bound of one analysed entry; read in place, never copied here.
    extract: Extract::Bytes(extract),
};

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Its names in ELF and Mach-O files; PE files have no section for it.
const SECTIONS: [&str; 2] = [".go.buildinfo", "__go_buildinfo"];
/// Bytes: header of both layouts, and the alignment that the linker gives it.
const HEADER: usize = 32;
const ALIGNMENT: usize = 16;
/// The module text stands between two marks of this many bytes.
const MARK: usize = 16;
/// Header flags.
const BIG_ENDIAN: u8 = 1;
const INLINE: u8 = 2;

/// The linker puts the record among the data.
fn needles(head: &[u8]) -> Vec<Needle> {
    let needle = |_| Needle { bytes: MAGIC, alignment: ALIGNMENT, within: writable(head) };
    executable::kind(head).map(needle).into_iter().collect()
}

/// `bytes` is a whole program. Without the record it is none of Go's, which is no problem.
fn extract(bytes: &[u8], found: &mut Found) {
    match executable::open(bytes) {
        Ok(programs) => {
            for read in programs.iter().filter_map(read) {
                match read {
                    Ok(info) => report(&info, found),
                    Err(reason) => found.unreadable(reason),
                }
            }
        }
        Err(_) if bytes.windows(MAGIC.len()).any(|window| window == MAGIC) => {
            found.unreadable("headers of a Go program are broken");
        }
        Err(_) => {}
    }
}

/// What the record says, as text, and the versions found beside it.
struct BuildInfo {
    toolchain: String,
    modules: String,
    /// The value of a version variable of the main package that the symbol table names.
    symbol: Option<String>,
}

fn read(program: &object::File<'_>) -> Option<Result<BuildInfo, &'static str>> {
    let record = record(program)?;
    let strings = if record.get(15)? & INLINE != 0 {
        inline(record)
    } else {
        pointers(program, record).ok_or("build information points outside the file")
    };
    Some(strings.map(|(toolchain, modules)| {
        let needs_symbol = modules.lines().any(|line| line.starts_with("mod\t"));
        let symbol = if needs_symbol { symbol(program) } else { None };
        BuildInfo { toolchain, modules, symbol }
    }))
}

/// The record from its magic on: in its section, else aligned in a segment of data.
fn record<'data>(program: &impl Object<'data>) -> Option<&'data [u8]> {
    let section = SECTIONS.iter().find_map(|name| program.section_by_name(name));
    if let Some(section) = section {
        let data = section.data().ok()?;
        // The section may have been merged with what precedes it.
        return find(data).and_then(|at| data.get(at..));
    }
    program.segments().filter(|segment| executable::is_data(segment.flags())).find_map(|segment| {
        let data = segment.data().ok()?;
        find(data).and_then(|at| data.get(at..))
    })
}

fn find(data: &[u8]) -> Option<usize> {
    (0..data.len().saturating_sub(HEADER - 1))
        .step_by(ALIGNMENT)
        .find(|at| data[*at..].starts_with(MAGIC))
}

/// Go 1.18 and later: two strings after the header, each with its length as a varint.
fn inline(record: &[u8]) -> Result<(String, String), &'static str> {
    let (toolchain, rest) = counted(record.get(HEADER..).unwrap_or_default())?;
    let (modules, _) = counted(rest)?;
    Ok((text(toolchain), text(unmark(modules))))
}

fn counted(bytes: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    const CUT: &str = "build information is cut short";
    let (mut length, mut shift) = (0_u64, 0);
    for (index, byte) in bytes.iter().enumerate().take(10) {
        length |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            let length = usize::try_from(length).map_err(|_| CUT)?;
            return bytes[index + 1..].split_at_checked(length).ok_or(CUT);
        }
    }
    Err(CUT)
}

/// Before Go 1.18: two pointers to string headers (address, length) in the image as loaded.
fn pointers<'data>(program: &impl Object<'data>, record: &[u8]) -> Option<(String, String)> {
    let word = match record.get(14)? {
        4 => Word { size: 4, big: record[15] & BIG_ENDIAN != 0 },
        8 => Word { size: 8, big: record[15] & BIG_ENDIAN != 0 },
        _ => return None,
    };
    let toolchain = string_at(program, word, word.read(record.get(16..)?)?)?;
    let modules = string_at(program, word, word.read(record.get(16 + word.size..)?)?)?;
    Some((text(toolchain), text(unmark(modules))))
}

/// The machine word of the target.
#[derive(Clone, Copy)]
struct Word {
    size: usize,
    big: bool,
}

impl Word {
    fn read(self, bytes: &[u8]) -> Option<u64> {
        let bytes = bytes.get(..self.size)?;
        let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        Some(if self.big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) })
    }
}

/// The bytes of the Go string whose header lies at `address`.
fn string_at<'data>(program: &impl Object<'data>, word: Word, address: u64) -> Option<&'data [u8]> {
    let header = loaded(program, address)?;
    let (start, length) = (word.read(header)?, word.read(header.get(word.size..)?)?);
    if length == 0 {
        return Some(&[]);
    }
    loaded(program, start)?.get(..usize::try_from(length).ok()?)
}

/// The file's bytes from virtual `address` to the end of its segment.
fn loaded<'data>(program: &impl Object<'data>, address: u64) -> Option<&'data [u8]> {
    program.segments().find_map(|segment| {
        let offset = usize::try_from(address.checked_sub(segment.address())?).ok()?;
        segment.data().ok()?.get(offset..).filter(|rest| !rest.is_empty())
    })
}

/// The value of `main.version` or `main.Version`, where the symbol table was kept.
fn symbol<'data>(program: &impl Object<'data>) -> Option<String> {
    let named = |name: &str| {
        let symbol = program.symbols().find(|symbol| {
            symbol.name().is_ok_and(|own| own.strip_prefix('_').unwrap_or(own) == name)
        })?;
        let word =
            Word { size: if program.is_64() { 8 } else { 4 }, big: !program.is_little_endian() };
        version(&text(string_at(program, word, symbol.address())?))
    };
    named("main.version").or_else(|| named("main.Version"))
}

fn unmark(modules: &[u8]) -> &[u8] {
    let marked = modules.len() > 2 * MARK && modules[modules.len() - MARK - 1] == b'\n';
    if marked { &modules[MARK..modules.len() - MARK] } else { &[] }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn report(info: &BuildInfo, found: &mut Found) {
    match toolchain(&info.toolchain) {
        Some(version) => found.package(Ecosystem::Go, "stdlib", version),
        None => {
            let message = format!("toolchain `{}` is no release", info.toolchain.escape_debug());
            found.note("go-toolchain-unreleased", message);
        }
    }
    let mut lines = info.modules.lines().peekable();
    while let Some(line) = lines.next() {
        let mut columns = line.split('\t');
        let (kind, path, version) = (columns.next(), columns.next(), columns.next());
        let (Some(path), Some(version)) = (path, version) else { continue };
        match kind {
            Some("mod") => main_module(path, version, info, found),
            Some("dep") => match lines.next_if(|next| next.starts_with("=>\t")) {
                Some(replacement) => replaced(path, replacement, found),
                None => dependency(path, version, found),
            },
            _ => {}
        }
    }
}

fn dependency(path: &str, version: &str, found: &mut Found) {
    if version.is_empty() || version == "(devel)" {
        found.note("go-module-without-version", format!("module {path} has no version"));
    } else {
        found.package(Ecosystem::Go, path, version);
    }
}

/// What was linked is the module after `replace`; one replaced by a folder has no version that any feed knows.
fn replaced(path: &str, replacement: &str, found: &mut Found) {
    let mut columns = replacement.split('\t').skip(1);
    match (columns.next(), columns.next()) {
        (Some(new), Some(version)) if !version.is_empty() && version != "(devel)" => {
            found.package(Ecosystem::Go, new, version);
        }
        (new, _) => {
            let message =
                format!("module {path} was replaced by the folder {}", new.unwrap_or("?"));
            found.note("go-module-without-version", message);
        }
    }
}

/// Its recorded version if real, else that of a `-X` linker flag, else that of a symbol, else a note.
fn main_module(path: &str, recorded: &str, info: &BuildInfo, found: &mut Found) {
    // `cmd` is the toolchain's own module; `stdlib` stands for it.
    if path == "cmd" || path == "std" {
        return;
    }
    let real = recorded != "(devel)" && !recorded.is_empty() && !is_pseudo(recorded);
    let version = if real { Some(recorded.to_owned()) } else { None };
    match version.or_else(|| linker_flag(path, &info.modules)).or_else(|| info.symbol.clone()) {
        Some(version) => found.package(Ecosystem::Go, path, version),
        None => {
            let message =
                format!("main module {path} has version `{recorded}`, which no feed can judge");
            found.note("go-main-module-without-version", message);
        }
    }
}

/// A version made from a commit: `vX.0.0-TIME-HASH`, `…-0.TIME-HASH`, `…-pre.0.TIME-HASH`, perhaps `+dirty`.
/// Source: Go modules reference, "Pseudo-versions".
fn is_pseudo(version: &str) -> bool {
    let version = version.split('+').next().unwrap_or(version);
    let mut parts = version.rsplit('-');
    let (hash, time) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let time = time.rsplit('.').next().unwrap_or(time);
    hash.len() == 12
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && time.len() == 14
        && time.bytes().all(|byte| byte.is_ascii_digit())
}

/// The version that `-ldflags "-X main.version=…"` set: a variable named version of package main or of the module.
fn linker_flag(path: &str, modules: &str) -> Option<String> {
    let flags = modules.lines().find_map(|line| line.strip_prefix("build\t-ldflags="))?;
    let mut candidates: Vec<(&str, String)> = Vec::new();
    for word in flags.split([' ', '"', '\'', '\\']).filter(|word| word.contains('=')) {
        let (variable, value) = word.split_once('=').unwrap_or_default();
        let variable = variable.strip_prefix("-X").unwrap_or(variable);
        let (package, name) = variable.rsplit_once('.').unwrap_or_default();
        let named = name.eq_ignore_ascii_case("version") || name.eq_ignore_ascii_case("gitVersion");
        if named && let Some(value) = version(value) {
            candidates.push((package, value));
        }
    }
    // `a.org/ab` is no package of module `a.org/a`.
    let in_module = |package: &str| {
        package.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let of = |wanted: &dyn Fn(&str) -> bool| candidates.iter().find(|(package, _)| wanted(package));
    of(&|package| package == "main").or_else(|| of(&in_module)).map(|(_, version)| version.clone())
}

/// `text` as a module version with its `v`, if it begins like one.
fn version(text: &str) -> Option<String> {
    let bare = text.strip_prefix('v').unwrap_or(text);
    let (major, rest) = bare.split_once('.')?;
    let numeric = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
    let printable = bare.bytes().all(|byte| byte.is_ascii_graphic());
    (numeric && printable && rest.starts_with(|next: char| next.is_ascii_digit()))
        .then(|| format!("v{bare}"))
}

/// `go1.21.3` with whatever a vendor or an experiment appended; `None` for development builds.
/// Release candidates take the form of the vulnerability database: `1.22rc1` is `1.22.0-rc.1`.
pub(super) fn toolchain(text: &str) -> Option<String> {
    let text = text.strip_prefix("go")?;
    let end = text.find([' ', '-', '+']).unwrap_or(text.len());
    let release = &text[..end];
    let number_end =
        release.find(|next: char| !next.is_ascii_digit() && next != '.').unwrap_or(end);
    let (number, suffix) = release.split_at(number_end);
    if !number.contains('.') || !number.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if suffix.is_empty() {
        return Some(number.to_owned());
    }
    let number =
        if number.matches('.').count() == 1 { format!("{number}.0") } else { number.to_owned() };
    let candidate = ["rc", "beta"].into_iter().find_map(|word| {
        let count = suffix.strip_prefix(word)?;
        count.bytes().all(|byte| byte.is_ascii_digit()).then(|| format!("{word}.{count}"))
    });
    // Any other letters are a vendor's mark.
    Some(candidate.map_or(number.clone(), |candidate| format!("{number}-{candidate}")))
}

#[cfg(test)]
#[path = "go_buildinfo_tests.rs"]
mod tests;

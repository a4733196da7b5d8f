//! Programs of Linux, Windows and macOS with what linkers record: Go's build information in both layouts, and the crates
//! of cargo auditable.
use crate::Target;
use seawall_extract::{LayerReader, Want};
use std::io::Write;

pub(crate) const TARGET: Target =
    Target { name: "extract-go-buildinfo", run, seeds, rounds: 6_000 };

fn run(bytes: &[u8]) {
    super::extract("go-buildinfo", bytes);
    super::extract("rust-audit", bytes);
    let head = &bytes[..bytes.len().min(4096)];
    if let Want::Containing { needles, .. } = LayerReader::new().head(head) {
        let parts = needles.iter().flatten().filter_map(|needle| needle.within);
        assert!(parts.into_iter().all(|(start, end)| start <= end), "a part ends before it begins");
    }
}

const MODULES: &str = "path\texample.org/a/cmd\nmod\texample.org/a\t(devel)\th1:x=\ndep\tgolang.org/x/net\tv0.1.0\th1:y=\n\
    dep\texample.org/old\tv0.1.0\n=>\texample.org/new\tv0.2.0\th1:z=\ndep\texample.org/local\tv0.0.0\n=>\t./local\t\n\
    build\t-ldflags=\"-s -X main.version=1.4.0\"\n";
/// Source: Go, `debug/buildinfo`.
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Bytes before the two strings of the inline layout.
const HEADER: usize = 32;
/// Address of the one segment.
const BASE: u64 = 0x10_0000;

fn marked() -> Vec<u8> {
    [&[b'<'; 16], MODULES.as_bytes(), &[b'>'; 16]].concat()
}

fn inline_record() -> Vec<u8> {
    let mut record = [MAGIC, &[8, 2]].concat();
    record.resize(HEADER, 0);
    for text in [b"go1.20.4".as_slice(), &marked()] {
        record.extend([text.len() as u8 | 0x80, (text.len() >> 7) as u8]);
        record.extend(text);
    }
    record
}

fn pointer_record() -> Vec<u8> {
    let toolchain = b"go1.16.2";
    let header = |index: u64| BASE + 64 + 32 + index * 16;
    let strings = header(2);
    let mut record = [MAGIC, &[8, 0]].concat();
    let modules = marked();
    let words = [header(0), header(1), strings, 8, strings + 8, modules.len() as u64];
    words.iter().for_each(|word| record.extend(word.to_le_bytes()));
    record.extend(toolchain);
    record.extend(modules);
    record
}

/// A 64-bit little-endian ELF file with one writable segment: 64 bytes of other data, then `record`.
fn elf(record: &[u8]) -> Vec<u8> {
    let data = [&[0; 64], record].concat();
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    [BASE, 64, 0].iter().for_each(|word: &u64| file.extend(word.to_le_bytes()));
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0, 1, 0, 0, 0, 6, 0, 0, 0]);
    let size = data.len() as u64;
    [128, BASE, BASE, size, size, 4096]
        .iter()
        .for_each(|word: &u64| file.extend(word.to_le_bytes()));
    file.resize(128, 0);
    file.extend(data);
    file
}

fn words32(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn padded(text: &str, length: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(length, 0);
    bytes
}

/// A 64-bit PE file with one section of data.
fn pe(section: &str, data: &[u8]) -> Vec<u8> {
    let mut file = padded("MZ", 60);
    file.extend(words32(&[64]));
    file.extend(b"PE\0\0\x64\x86\x01\0");
    file.extend(words32(&[0, 0, 0]));
    file.extend([240, 0, 0x22, 0]);
    let mut optional = padded("\x0b\x02", 240);
    optional[24..32].copy_from_slice(&BASE.to_le_bytes());
    optional[32..40].copy_from_slice(&words32(&[4096, 512]));
    optional[108] = 16;
    file.extend(optional);
    file.extend(padded(section, 8));
    let (start, size) = (64 + 4 + 20 + 240 + 40, data.len() as u32);
    file.extend(words32(&[size, 0, size, start, 0, 0, 0, 0xc000_0040]));
    file.extend(data);
    file
}

/// A 64-bit Mach-O file with one section of data.
fn mach_o(section: &str, data: &[u8]) -> Vec<u8> {
    let (start, size) = (32 + 152, data.len() as u64);
    let mut file = words32(&[0xfeed_facf, 0x0100_0007, 3, 2, 1, 152, 0, 0, 0x19, 152]);
    file.extend(padded("__DATA", 16));
    [BASE, size, start, size].iter().for_each(|word| file.extend(word.to_le_bytes()));
    file.extend(words32(&[7, 3, 1, 0]));
    file.extend(padded(section, 16));
    file.extend(padded("__DATA", 16));
    [BASE, size].iter().for_each(|word| file.extend(word.to_le_bytes()));
    file.extend(words32(&[start as u32, 4, 0, 0, 0, 0, 0, 0]));
    file.extend(data);
    file
}

/// A Mach-O file for several architectures, of which there is one.
fn fat(part: &[u8]) -> Vec<u8> {
    let words = [0xcafe_babe, 1, 0x0100_0007, 3, 32, part.len() as u32, 4, 0];
    let mut file: Vec<u8> = words.iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
    file.extend(part);
    file
}

fn crates() -> Vec<u8> {
    let json = br#"{"packages":[{"name":"a","version":"1.0.0","source":"local","root":true},{"name":"b","version":"2.0.0","source":"crates.io","kind":"build"}]}"#;
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(json).expect("a vector takes every write");
    encoder.finish().expect("a vector takes every write")
}

fn go_seeds() -> Vec<Vec<u8>> {
    let behind = |record: Vec<u8>| [&[0; 64], record.as_slice()].concat();
    let (inline, pointers) = (behind(inline_record()), behind(pointer_record()));
    vec![
        elf(&inline_record()),
        elf(&pointer_record()),
        pe(".data", &inline),
        pe(".data", &pointers),
        mach_o("__go_buildinfo", &inline),
        mach_o("__data", &pointers),
        fat(&mach_o("__data", &inline)),
    ]
}

fn rust_seeds() -> Vec<Vec<u8>> {
    vec![pe(".dep-v0", &crates()), mach_o(".dep-v0", &crates()), fat(&mach_o(".dep-v0", &crates()))]
}

fn seeds() -> Vec<Vec<u8>> {
    [go_seeds(), rust_seeds()].concat()
}

#[test]
fn both_layouts_are_read() {
    for seed in go_seeds() {
        let found = seawall_extract::by_id("go-buildinfo").unwrap().run(&seed);
        assert_eq!(found.packages.len(), 4, "{found:?}");
    }
}

#[test]
fn crates_are_read() {
    for seed in rust_seeds() {
        let found = seawall_extract::by_id("rust-audit").unwrap().run(&seed);
        assert_eq!(found.packages.len(), 1, "{found:?}");
    }
}

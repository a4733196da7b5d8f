//! The build information of Go programs: ELF files with both layouts of the record.
use crate::Target;

pub(crate) const TARGET: Target =
    Target { name: "extract-go-buildinfo", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    super::extract("go-buildinfo", bytes);
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

fn seeds() -> Vec<Vec<u8>> {
    vec![elf(&inline_record()), elf(&pointer_record())]
}

#[test]
fn both_layouts_are_read() {
    for seed in seeds() {
        let found = seawall_extract::by_id("go-buildinfo").unwrap().run(&seed);
        assert_eq!(found.packages.len(), 4, "{found:?}");
    }
}

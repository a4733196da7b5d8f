//! Hand-made ELF files with both layouts of the record; real programs are read in `tests/it`.
use super::*;

const MODULES: &str = "path\texample.org/a/cmd\nmod\texample.org/a\tv1.2.3\th1:x=\n\
    dep\tgolang.org/x/net\tv0.1.0\th1:y=\ndep\texample.org/old\tv0.1.0\n=>\texample.org/new\tv0.2.0\th1:z=\n\
    dep\texample.org/local\tv0.0.0\n=>\t./local\t\nbuild\t-compiler=gc\n";
const EXPECTED: &str = "stdlib 1.20.4, example.org/a v1.2.3, golang.org/x/net v0.1.0, example.org/new v0.2.0; \
    note go-module-without-version";

fn marked(modules: &str) -> Vec<u8> {
    [&[b'<'; MARK], modules.as_bytes(), &[b'>'; MARK]].concat()
}

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

fn inline_record(toolchain: &str, modules: &str) -> Vec<u8> {
    let mut record = [MAGIC, &[8, INLINE]].concat();
    record.resize(HEADER, 0);
    for text in [toolchain.as_bytes(), &marked(modules)] {
        record.extend(varint(text.len()));
        record.extend(text);
    }
    record
}

/// Addresses of the one segment begin here.
const BASE: u64 = 0x10_0000;

fn pointer_record(toolchain: &str, modules: &str) -> Vec<u8> {
    let modules = marked(modules);
    let mut record = [MAGIC, &[8, 0]].concat();
    let header = |index: u64| BASE + 64 + 32 + index * 16;
    record.extend(header(0).to_le_bytes());
    record.extend(header(1).to_le_bytes());
    let strings = header(2);
    record.extend(strings.to_le_bytes());
    record.extend((toolchain.len() as u64).to_le_bytes());
    record.extend((strings + toolchain.len() as u64).to_le_bytes());
    record.extend((modules.len() as u64).to_le_bytes());
    record.extend(toolchain.as_bytes());
    record.extend(modules);
    record
}

/// A 64-bit little-endian ELF file with one writable segment and no sections: 64 bytes of other data, then `record`.
fn elf(record: &[u8]) -> Vec<u8> {
    let data = [&[0; 64], record].concat();
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    for word in [BASE, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
    file.extend([1, 0, 0, 0, 6, 0, 0, 0]);
    for word in [128, BASE, BASE, data.len() as u64, data.len() as u64, 4096] {
        file.extend(word.to_le_bytes());
    }
    file.resize(128, 0);
    file.extend(data);
    file
}

#[test]
fn both_layouts() {
    check(&EXTRACTOR, elf(&inline_record("go1.20.4", MODULES)), EXPECTED);
    check(&EXTRACTOR, elf(&pointer_record("go1.20.4", MODULES)), EXPECTED);
    check(&EXTRACTOR, elf(b"no record"), "");
    check(&EXTRACTOR, b"\x7fELF", "");
    check(&EXTRACTOR, b"", "");
}

#[test]
fn windows_and_macos() {
    use crate::lang::executable::tests::{fat, mach_o, pe};
    // The record lies at a multiple of 16 bytes of its section.
    let inline = inline_record("go1.20.4", MODULES);
    check(&EXTRACTOR, pe(".data", &[&[0; 64], inline.as_slice()].concat()), EXPECTED);
    check(&EXTRACTOR, mach_o("__go_buildinfo", &inline), EXPECTED);
    check(&EXTRACTOR, mach_o("__data", &inline), EXPECTED);
    check(&EXTRACTOR, fat(&[mach_o("__go_buildinfo", &inline)]), EXPECTED);
    // The pointers of this layout count from the address that all these files are loaded at.
    let pointers = [&[0; 64], pointer_record("go1.20.4", MODULES).as_slice()].concat();
    check(&EXTRACTOR, pe(".data", &pointers), EXPECTED);
    check(&EXTRACTOR, mach_o("__data", &pointers), EXPECTED);
    check(&EXTRACTOR, pe(".text", b"no record"), "");
    check(&EXTRACTOR, mach_o("__data", b"no record"), "");
    let cut = &inline[..80];
    check(&EXTRACTOR, pe(".data", cut), "unreadable");
    check(&EXTRACTOR, mach_o("__go_buildinfo", cut), "unreadable");
}

proptest::proptest! {
    #[test]
    fn no_byte_makes_it_panic(system in 0..4, at in 0_usize..2000, bytes: [u8; 4]) {
        use crate::lang::executable::tests::{fat, mach_o, pe};
        let record = [&[0; 64], pointer_record("go1.20.4", MODULES).as_slice()].concat();
        let mut file = match system {
            0 => elf(&record),
            1 => pe(".data", &record),
            2 => mach_o("__data", &record),
            _ => fat(&[mach_o("__data", &record)]),
        };
        let at = at % (file.len() - 4);
        file[at..at + 4].copy_from_slice(&bytes);
        needles(&file);
        EXTRACTOR.run(&file);
        EXTRACTOR.run(&file[..at]);
    }
}

#[test]
fn broken() {
    let whole = elf(&inline_record("go1.20.4", MODULES));
    let mut cut = inline_record("go1.20.4", MODULES);
    cut.truncate(80);
    check(&EXTRACTOR, elf(&cut), "unreadable");
    let mut far = pointer_record("go1.20.4", MODULES);
    far[20] = 0xff;
    check(&EXTRACTOR, elf(&far), "unreadable");
    let mut headers = whole.clone();
    headers[32..40].fill(0xff);
    check(&EXTRACTOR, headers, "unreadable");
    let mut long = inline_record("go1.20.4", MODULES);
    long[HEADER..HEADER + 10].fill(0xff);
    check(&EXTRACTOR, elf(&long), "unreadable");
    for length in 0..whole.len() {
        EXTRACTOR.run(&whole[..length]);
    }
}

#[test]
fn main_modules() {
    #[track_caller]
    fn main(modules: &str, expected: &str) {
        let file = elf(&inline_record("go1.20.4", modules));
        check(&EXTRACTOR, file, &format!("stdlib 1.20.4{expected}"));
    }
    let note = "; note go-main-module-without-version";
    main("mod\ta.org/a\t(devel)\t\n", note);
    main("mod\ta.org/a\tv0.0.0-20230101000000-abcdefabcdef\t\n", note);
    main("mod\ta.org/a\tv1.2.4-0.20230101000000-abcdefabcdef+dirty\t\n", note);
    main("mod\ta.org/a\tv1.2.4-rc.1\t\n", ", a.org/a v1.2.4-rc.1");
    main(
        "mod\ta.org/a\t(devel)\t\nbuild\t-ldflags=\"-s -X main.version=1.4.0\"\n",
        ", a.org/a v1.4.0",
    );
    main(
        "mod\ta.org/a\t(devel)\t\nbuild\t-ldflags=\"-X a.org/a/pkg.Version=v2.0\"\n",
        ", a.org/a v2.0",
    );
    main("mod\ta.org/a\t(devel)\t\nbuild\t-ldflags=\"-X b.org/b.Version=v2.0\"\n", note);
    main("mod\ta.org/a\t(devel)\t\nbuild\t-ldflags=\"-X a.org/ab/pkg.Version=v2.0\"\n", note);
    main(
        "mod\ta.org/a\t(devel)\t\nbuild\t-ldflags=\"-X a.org/a.Version=v2.0\"\n",
        ", a.org/a v2.0",
    );
    main("mod\ta.org/a\t(devel)\t\nbuild\t-ldflags=\"-X main.version=main\"\n", note);
    main("mod\tcmd\t(devel)\t\n", "");
    main("path\tcommand-line-arguments\n", "");
}

#[test]
fn toolchains() {
    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(toolchain(text).as_deref(), expected, "{text}");
    }
    check("go1.21.3", Some("1.21.3"));
    check("go1.21", Some("1.21"));
    check("go1.22.5 X:boringcrypto", Some("1.22.5"));
    check("go1.24.1-X:nocoverageredesign", Some("1.24.1"));
    check("go1.21.9 (Red Hat 1.21.9-1.el9)", Some("1.21.9"));
    check("go1.20.14b7", Some("1.20.14"));
    check("go1.19.3+fips", Some("1.19.3"));
    check("go1.22rc1", Some("1.22.0-rc.1"));
    check("go1.9beta2", Some("1.9.0-beta.2"));
    check("devel go1.23-abc Mon", None);
    check("go", None);
    check("", None);
}

#[test]
fn the_writable_segment_is_where_to_look() {
    let record = inline_record("go1.20.4", MODULES);
    let file = elf(&record);
    assert_eq!(writable(&file[..128]), Some((128, file.len() as u64)));
    assert_eq!(writable(&file[..100]), None);
    let mut executable = file.clone();
    executable[68] = 5;
    assert_eq!(writable(&executable), None);
}

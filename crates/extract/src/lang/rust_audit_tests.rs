//! ELF, PE and Mach-O files with the section, made by hand.
use super::*;
use crate::lang::executable::tests::{elf, fat, mach_o, pe};
use proptest::prelude::*;
use std::io::Write;

/// As cargo-auditable 0.6 records a program, source and kind left out where they are the usual ones.
const JSON: &str = r#"{"packages":[
    {"name":"app","version":"0.1.0","source":"local","dependencies":[1,2,3],"root":true},
    {"name":"itoa","version":"1.0.15","source":"crates.io"},
    {"name":"member","version":"0.1.0","source":"local"},
    {"name":"cc","version":"1.0.83","source":"crates.io","kind":"build"},
    {"name":"forked","version":"0.3.0","source":"git"}]}"#;

fn zlib(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

const EXPECTED: &str = "app 0.1.0, itoa 1.0.15, forked 0.3.0";

#[test]
fn three_systems() {
    check(&EXTRACTOR, elf(SECTION, &zlib(JSON)), EXPECTED);
    check(&EXTRACTOR, pe(SECTION, &zlib(JSON)), EXPECTED);
    check(&EXTRACTOR, mach_o(SECTION, &zlib(JSON)), EXPECTED);
    check(&EXTRACTOR, fat(&[mach_o(SECTION, &zlib(JSON)), mach_o("other", b"x")]), EXPECTED);
}

#[test]
fn without_a_record() {
    let comment = b"GCC: (Debian 12.2.0-14) 12.2.0\0rustc version 1.90.0 (1159e78c4 2025-09-14)\0";
    check(&EXTRACTOR, elf(".comment", comment), "note rust-crates-not-recorded");
    check(&EXTRACTOR, elf(".comment", b"GCC: (Debian 12.2.0-14) 12.2.0\0"), "");
    check(&EXTRACTOR, pe(".data", b"x"), "");
    check(&EXTRACTOR, b"", "");
}

#[test]
fn broken() {
    check(&EXTRACTOR, elf(SECTION, b"no zlib"), "unreadable");
    check(
        &EXTRACTOR,
        elf(SECTION, &zlib("{\"packages\": [{\"name\": \"a\", \"version\": \"1\"},\n")),
        "a 1; problem at line 2",
    );
    check(&EXTRACTOR, elf(SECTION, &zlib(r#"{"packages": [{"name": "a"}]}"#)), "unreadable");
    let bomb = zlib(&" ".repeat(MAX_JSON as usize + 1));
    check(&EXTRACTOR, elf(SECTION, &bomb), "unreadable");
}

#[test]
fn where_to_look() {
    let looked = |file: &[u8]| {
        let end = |end: u64| usize::try_from(end).unwrap_or(usize::MAX).min(file.len());
        needles(file).iter().any(|needle| {
            let (start, last) = needle.within.unwrap();
            file[end(start)..end(last)].windows(needle.bytes.len()).any(|part| part == needle.bytes)
        })
    };
    assert!(looked(&elf(SECTION, b"x")));
    assert!(looked(&pe(SECTION, b"x")));
    assert!(looked(&mach_o(SECTION, b"x")));
    assert!(looked(&fat(&[mach_o(SECTION, b"x")])));
    assert!(!looked(&elf(".comment", b"GCC")));
}

proptest! {
    #[test]
    fn no_byte_makes_it_panic(system in 0..4, at in 0_usize..2000, bytes: [u8; 4]) {
        let data = zlib(JSON);
        let mut file = match system {
            0 => elf(SECTION, &data),
            1 => pe(SECTION, &data),
            2 => mach_o(SECTION, &data),
            _ => fat(&[mach_o(SECTION, &data)]),
        };
        let at = at % (file.len() - 4);
        file[at..at + 4].copy_from_slice(&bytes);
        needles(&file);
        EXTRACTOR.run(&file);
        EXTRACTOR.run(&file[..at]);
    }
}

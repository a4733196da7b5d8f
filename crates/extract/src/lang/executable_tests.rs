//! Programs of three systems with one section of data, made by hand.
use super::*;

/// Virtual address of the section.
pub(in crate::lang) const BASE: u64 = 0x10_0000;

fn padded(name: &str, length: usize) -> Vec<u8> {
    let mut name = name.as_bytes().to_vec();
    name.resize(length, 0);
    name
}

fn words32(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn words64(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The section lies behind what is loaded, as `.comment` and `.dep-v0` do.
pub(in crate::lang) fn elf(section: &str, data: &[u8]) -> Vec<u8> {
    let names = format!("\0{section}\0.shstrtab\0");
    let (start, size) = (120, data.len() as u64);
    let headers = start + size + names.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([2, 0, 62, 0, 1, 0, 0, 0]);
    file.extend(words64(&[BASE, 64, headers]));
    file.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 3, 0, 2, 0]);
    file.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    file.extend(words64(&[0, BASE, BASE, start, start, 4096]));
    file.extend(data);
    file.extend(names.as_bytes());
    file.extend([0; 64]);
    let name = |at: u32, kind: u32, start: u64, size: u64| {
        [words32(&[at, kind]), words64(&[0, 0, start, size]), words32(&[0, 0]), words64(&[1, 0])]
            .concat()
    };
    file.extend(name(1, 1, start, size));
    file.extend(name(2 + section.len() as u32, 3, start + size, names.len() as u64));
    file
}

pub(in crate::lang) fn pe(section: &str, data: &[u8]) -> Vec<u8> {
    let start = 64 + 4 + 20 + 240 + 40;
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
    let size = data.len() as u32;
    file.extend(words32(&[size, 0, size, start, 0, 0, 0, 0xc000_0040]));
    file.extend(data);
    file
}

pub(in crate::lang) fn mach_o(section: &str, data: &[u8]) -> Vec<u8> {
    let (start, size) = (32 + 152, data.len() as u64);
    let mut file = words32(&[0xfeed_facf, 0x0100_0007, 3, 2, 1, 152, 0, 0]);
    file.extend(words32(&[0x19, 152]));
    file.extend(padded("__DATA", 16));
    file.extend(words64(&[BASE, size, start, size]));
    file.extend(words32(&[7, 3, 1, 0]));
    file.extend(padded(section, 16));
    file.extend(padded("__DATA", 16));
    file.extend(words64(&[BASE, size]));
    file.extend(words32(&[start as u32, 4, 0, 0, 0, 0, 0, 0]));
    file.extend(data);
    file
}

/// Mach-O files in one, each at a multiple of 16 bytes.
pub(in crate::lang) fn fat(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut file = [0xcafe_babe_u32.to_be_bytes(), (parts.len() as u32).to_be_bytes()].concat();
    let mut start = (8 + 20 * parts.len()).next_multiple_of(16);
    let mut content = Vec::new();
    for part in parts {
        let words = [0x0100_0007, 3, start as u32, part.len() as u32, 4];
        file.extend(words.iter().flat_map(|word: &u32| word.to_be_bytes()));
        content.extend(part);
        content.resize(content.len().next_multiple_of(16), 0);
        start += part.len().next_multiple_of(16);
    }
    file.resize(file.len().next_multiple_of(16), 0);
    file.extend(content);
    file
}

#[test]
fn kinds() {
    #[track_caller]
    fn check(head: &[u8], expected: Option<Kind>) {
        assert_eq!(kind(head), expected, "{head:?}");
    }
    check(b"\x7fELF\x02", Some(Kind::Elf));
    check(b"MZ\x90\x00", Some(Kind::Pe));
    check(b"\xcf\xfa\xed\xfe", Some(Kind::MachO));
    check(b"\xfe\xed\xfa\xce", Some(Kind::MachO));
    check(b"\xca\xfe\xba\xbe\0\0\0\x02", Some(Kind::Fat));
    // A class of Java 8.
    check(b"\xca\xfe\xba\xbe\0\0\0\x34", None);
    check(b"#!/bin/sh", None);
    check(b"", None);
}

#[test]
fn where_to_look() {
    let file = pe(".data", b"content");
    let start = file.len() as u64 - 7;
    assert_eq!(writable(&file), Some((start, start + 7)));
    assert_eq!(writable(&file[..80]), None);
    assert_eq!(writable(&mach_o("x", b"content")), None);
    assert_eq!(unloaded(&elf(".comment", b"content")), Some(120));
}

//! Headers made by hand; archives by real programs are read in `tests/it`.
use super::*;

/// A header with a right checksum, and `content` padded.
fn member(name: &[u8], kind: u8, size_field: &[u8], content: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; BLOCK];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000755");
    block[124..124 + size_field.len()].copy_from_slice(size_field);
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    let mut bytes = block.to_vec();
    bytes.extend(content);
    bytes.resize(BLOCK + content.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn seal(block: &mut [u8; BLOCK]) {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

fn file(name: &str, content: &[u8]) -> Vec<u8> {
    member(name.as_bytes(), b'0', format!("{:011o}", content.len()).as_bytes(), content)
}

fn extension(kind: u8, content: &[u8]) -> Vec<u8> {
    member(b"x", kind, format!("{:011o}", content.len()).as_bytes(), content)
}

/// `path:size` of each entry, `!reason` of a dropped one, then how it ended.
#[track_caller]
fn check(bytes: &[u8], expected: &str) {
    let mut tar = Tar::new(bytes);
    let mut shown = Vec::new();
    loop {
        match tar.next() {
            Ok(Next::Entry(header)) => match header.entry() {
                Ok(Some(entry)) => shown.push(format!("{}:{}", entry.path, entry.size)),
                Ok(None) => shown.push("root".to_owned()),
                Err(reason) => shown.push(format!("!{reason}")),
            },
            Ok(Next::End(End::Marked)) => break shown.push("end".to_owned()),
            Ok(Next::End(End::Unmarked)) => break shown.push("unmarked".to_owned()),
            Err(error) => break shown.push(format!("{:?}", error.kind())),
        }
    }
    assert_eq!(shown.join(" "), expected);
}

const END: [u8; 2 * BLOCK] = [0; 2 * BLOCK];

#[test]
fn names_and_ends() {
    check(
        &[&file("a", b"xy")[..], &file("./b/", b""), &file("./", b""), &END].concat(),
        "a:2 b:0 root end",
    );
    check(&file("a", b"xy"), "a:2 unmarked");
    check(&[], "unmarked");
    let zeros = |count: usize| vec![0; count];
    check(&[file("a", b"xy"), zeros(BLOCK)].concat(), "a:2 end");
    check(&[file("a", b"xy"), zeros(BLOCK), file("b", b"")].concat(), "a:2 InvalidData");
    check(&[file("a", b"xy"), zeros(2 * BLOCK), file("b", b"")].concat(), "a:2 end");
    check(&[file("a", b"xy"), zeros(BLOCK + 100)].concat(), "a:2 UnexpectedEof");
    check(&file("a", b"xy")[..600], "a:2 UnexpectedEof");
    check(&file("a", b"xy")[..100], "UnexpectedEof");
    check(&file("/etc/passwd", b""), "!absolute path unmarked");
    check(&file("a/../../b", b""), "!path with `..` unmarked");
    check(&member(b"a\xffb", b'0', b"0", b""), "a\\xffb:0 unmarked");
    let mut broken = file("a", b"");
    broken[0] = b'b';
    check(&[&file("ok", b"")[..], &broken].concat(), "ok:0 InvalidData");
    check(&member(b"a", b'0', b"99999999999", b""), "InvalidData");
    check(&member(b"a", b'5', b"00000000777", b""), "a:0 unmarked");
}

#[test]
fn two_names_never_become_one() {
    #[track_caller]
    fn check(name: &[u8], expected: &str) {
        assert_eq!(escape(name), expected);
    }
    check(b"caf\xe9", r"caf\xe9");
    check(br"caf\xe9", r"caf\x5cxe9");
    check(br"caf\x5cxe9", r"caf\x5cx5cxe9");
    check(br"caf\xE9", r"caf\xE9");
    check(br"dev-disk\x2duuid", r"dev-disk\x2duuid");
    check(b"a\\\xe9", r"a\\xe9");
    check(br"a\", r"a\");
}

#[test]
fn extensions() {
    let long = "d/".repeat(200) + "f";
    check(
        &[extension(b'L', format!("{long}\0").as_bytes()), file("x", b"1")].concat(),
        &format!("{long}:1 unmarked"),
    );
    let record = format!("{} path={long}\n", 5 + 5 + long.len());
    check(
        &[extension(b'x', record.as_bytes()), file("x", b"1")].concat(),
        &format!("{long}:1 unmarked"),
    );
    check(
        &[extension(b'x', b"10 size=2\n"), member(b"x", b'0', b"00000000000", b"ab")].concat(),
        "x:2 unmarked",
    );
    check(
        &[extension(b'x', b"12 path=a\0b\n"), file("x", b"")].concat(),
        "!path with NUL unmarked",
    );
    check(&[extension(b'g', b"19 comment=example\n"), file("x", b"")].concat(), "x:0 unmarked");
    check(&[extension(b'x', b"99 path=x\n"), file("x", b"")].concat(), "InvalidData");
    check(&[extension(b'x', b"path=x\n"), file("x", b"")].concat(), "InvalidData");
    let far = "p".repeat(5000);
    check(
        &[extension(b'L', far.as_bytes()), file("x", b"")].concat(),
        "!path over 4,096 bytes unmarked",
    );
    check(&member(b"x", b'x', b"77777777777", b""), "Other");
    let binary_size = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];
    check(&member(b"big", b'0', &binary_size, b"ab"), "big:2 unmarked");
    check(&member(b"neg", b'0', &[0xff; 12], b""), "InvalidData");
    check(
        &member(
            b"huge",
            b'0',
            &[0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            b"",
        ),
        "InvalidData",
    );
}

#[test]
fn ustar_prefix_and_sparse() {
    let mut block: [u8; BLOCK] = file("name", b"")[..BLOCK].try_into().unwrap();
    block[345..348].copy_from_slice(b"dir");
    seal(&mut block);
    check(&block, "dir/name:0 unmarked");
    let mut block: [u8; BLOCK] =
        member(b"hole", b'S', b"00000000002", b"")[..BLOCK].try_into().unwrap();
    block[257..265].copy_from_slice(b"ustar  \0");
    block[482] = 1;
    seal(&mut block);
    let mut map = [0_u8; BLOCK];
    map[0] = b'1';
    let content = file("", b"ab")[BLOCK..].to_vec();
    check(&[&block[..], &map, &content, &file("next", b"")].concat(), "hole:2 next:0 unmarked");
}

#[test]
fn content_is_read_in_place() {
    let bytes = [file("a", b"hello"), file("b", b"x")].concat();
    let mut tar = Tar::new(&bytes[..]);
    let Ok(Next::Entry(_)) = tar.next() else { panic!("first") };
    let mut text = [0; 2];
    tar.read_exact(&mut text).unwrap();
    assert_eq!(&text, b"he");
    let Ok(Next::Entry(header)) = tar.next() else { panic!("second") };
    assert_eq!(header.entry().unwrap().unwrap().path, "b");
    assert_eq!(header.offset, 3 * 512);
}

//! Java archives: directories of zip, nested archives, manifests.
use crate::Target;
use flate2::{Compression, Crc, write::DeflateEncoder};
use std::io::Write;

pub(crate) const TARGET: Target = Target { name: "extract-jar", run, seeds, rounds: 6_000 };

fn run(bytes: &[u8]) {
    let extractor =
        seawall_extract::by_id("jar").expect("the target names an extractor that exists");
    extractor.run_at("lib/a-1.0.jar", bytes);
}

/// A zip archive; members with `deflate` are compressed.
fn zip(deflate: bool, members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let mut crc = Crc::new();
        crc.update(content);
        let mut packed = content.to_vec();
        if deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(content).expect("a vector takes every write");
            packed = encoder.finish().expect("a vector takes every write");
        }
        let mut header =
            [20_u16, 0, if deflate { 8 } else { 0 }, 0, 0].map(u16::to_le_bytes).concat();
        for word in [crc.sum(), packed.len() as u32, content.len() as u32] {
            header.extend(word.to_le_bytes());
        }
        header.extend([name.len() as u16, 0].map(u16::to_le_bytes).concat());
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&header);
        directory.extend([0; 10]);
        directory.extend((file.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&header);
        file.extend(name.as_bytes());
        file.extend(packed);
    }
    let start = file.len() as u32;
    let count = members.len() as u16;
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].map(u16::to_le_bytes).concat());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0, 0]);
    file
}

fn seeds() -> Vec<Vec<u8>> {
    let properties: &[u8] = b"#x\nversion=1.0\ngroupId=org.a\nartifactId=b\n";
    let manifest: &[u8] = b"Manifest-Version: 1.0\r\nImplementation-Vendor-Id: org.a\r\nImplementation-Version: 1.\r\n 0\r\nBundle-SymbolicName: org.a.b;x:=y\r\n";
    let module = ("META-INF/maven/org.a/b/pom.properties", properties);
    let inner = zip(true, &[module, ("META-INF/MANIFEST.MF", manifest)]);
    let stored =
        zip(false, &[("WEB-INF/lib/b-1.0.jar", &inner), ("META-INF/MANIFEST.MF", manifest)]);
    let deflated = zip(true, &[("lib/c.war", &stored), module]);
    let with_script = [b"#!/bin/sh\n", inner.as_slice()].concat();
    vec![inner, stored, deflated, with_script, zip(false, &[])]
}

#[test]
fn seeds_are_read() {
    for seed in &seeds()[..4] {
        let found = seawall_extract::by_id("jar").unwrap().run_at("b-1.0.jar", seed);
        assert!(!found.packages.is_empty() && found.problems.is_empty(), "{found:?}");
    }
}

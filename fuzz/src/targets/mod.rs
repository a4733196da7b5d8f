//! One file per target: what it feeds, from which seeds, and which promise it checks beside "no panic".
pub(crate) mod cel_expression;
pub(crate) mod cel_function;
pub(crate) mod cel_regex;
pub(crate) mod extract_apk;
pub(crate) mod extract_chisel;
pub(crate) mod extract_dpkg;
pub(crate) mod extract_dpkg_files;
pub(crate) mod extract_facts;
pub(crate) mod extract_go_buildinfo;
pub(crate) mod extract_installed;
pub(crate) mod extract_jar;
pub(crate) mod extract_lockfiles;
pub(crate) mod extract_merge;
pub(crate) mod extract_os_release;
pub(crate) mod extract_python_dist_info;
pub(crate) mod extract_python_egg_info;
pub(crate) mod extract_repositories;
pub(crate) mod extract_rpm_bdb;
pub(crate) mod extract_rpm_header;
pub(crate) mod extract_rpm_ndb;
pub(crate) mod extract_rpm_sqlite;
pub(crate) mod feeds_csaf;
pub(crate) mod feeds_json;
pub(crate) mod feeds_kev;
pub(crate) mod feeds_osv;
pub(crate) mod feeds_oval;
pub(crate) mod oci_documents;
pub(crate) mod oci_layer;
pub(crate) mod oci_registry;
pub(crate) mod oci_tar;
pub(crate) mod policy_suite;
pub(crate) mod policy_template;
pub(crate) mod posture_admission;
pub(crate) mod posture_control;
pub(crate) mod posture_exemption;
pub(crate) mod posture_facts;
pub(crate) mod posture_framework;
pub(crate) mod posture_machines;
pub(crate) mod posture_manifests;
pub(crate) mod posture_objects;
pub(crate) mod posture_patch;
pub(crate) mod posture_yaml;
pub(crate) mod rego_module;
pub(crate) mod rego_regex;
pub(crate) mod rules_audit;
pub(crate) mod rules_condition;
pub(crate) mod rules_event;
pub(crate) mod rules_mask;
pub(crate) mod rules_yaml;
pub(crate) mod scan_sbom;
pub(crate) mod scan_vex;
pub(crate) mod store_filter;
pub(crate) mod uplink_spool;
pub(crate) mod vuln_kev;
pub(crate) mod vuln_order;
pub(crate) mod vuln_parts;
pub(crate) mod vuln_segment;
pub(crate) mod wire_record;

/// Seeds that are text.
fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<Vec<u8>> {
    texts.into_iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// Runs one extractor.
fn extract(id: &str, bytes: &[u8]) {
    seawall_extract::by_id(id).expect("the target names an extractor that exists").run(bytes);
}

/// Runs the extractor that the first byte chooses. A format is an extractor and a file that it reads a package of.
fn extract_one_of(formats: &[(&str, &str)], bytes: &[u8]) {
    let Some((first, text)) = bytes.split_first() else { return };
    let (id, _) = formats[usize::from(*first) % formats.len()];
    extract(id, text);
}

/// One for each format.
fn seeds_of(formats: &[(&str, &str)]) -> Vec<Vec<u8>> {
    let seed = |(index, (_, text)): (usize, &(&str, &str))| {
        let first = u8::try_from(index).expect("fewer formats than a byte can name");
        [&[first], text.as_bytes()].concat()
    };
    formats.iter().enumerate().map(seed).collect()
}

#[cfg(test)]
#[track_caller]
fn check_seeds(formats: &[(&str, &str)]) {
    for (id, text) in formats {
        let found = seawall_extract::by_id(id).unwrap().run(text.as_bytes());
        assert!(!found.packages.is_empty(), "{id}: {found:?}");
    }
}

/// A tar of files, with an end.
fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, path, *content).expect("a vector takes every write");
    }
    builder.into_inner().expect("a vector takes every write")
}

/// The tar with right checksums in whatever looks like a header: a wrong one ends the walk, so that nothing behind
/// it would be tried.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for block in bytes.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    bytes
}

/// Source: RFC 1950, section 9.
fn adler32(bytes: &[u8]) -> u32 {
    let (low, high) = bytes.iter().fold((1, 0), |(low, high): (u32, u32), byte| {
        let low = (low + u32::from(*byte)) % 65521;
        (low, (high + low) % 65521)
    });
    high << 16 | low
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Scans an archive as the command line does.
fn scan(
    kind: &str,
    archive: &[u8],
) -> Result<seawall_model::package::Inventory, seawall_scan::ScanError> {
    let file = tempfile::NamedTempFile::new().expect("the temporary folder takes a file");
    std::fs::write(file.path(), archive).expect("the temporary folder takes a file");
    seawall_scan::scan_image(
        &format!("{kind}:{}", file.path().display()),
        &seawall_scan::ImageOptions::default(),
    )
}

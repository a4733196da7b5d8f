//! Chisel's `manifest.wall`, and its lines behind compression that is right.
use crate::Target;

pub(crate) const TARGET: Target = Target { name: "extract-chisel", run, seeds, rounds: 3_000 };

fn run(bytes: &[u8]) {
    super::extract("chisel", bytes);
    let compressed = zstd::stream::encode_all(bytes, 1).expect("a vector takes every write");
    super::extract("chisel", &compressed);
}

fn seeds() -> Vec<Vec<u8>> {
    let text = "{\"jsonwall\":\"1.0\",\"schema\":\"1.0\",\"count\":3}\n\
        {\"kind\":\"content\",\"slice\":\"hello_bins\",\"path\":\"/usr/bin/hello\"}\n\
        {\"kind\":\"package\",\"name\":\"hello\",\"version\":\"2.10-2ubuntu4\",\"sha256\":\"75\",\"arch\":\"amd64\"}\n\
        {\"kind\":\"path\",\"path\":\"/usr/bin/hello\",\"mode\":\"0755\",\"slices\":[\"hello_bins\"],\"size\":26856}\n";
    let compressed = zstd::stream::encode_all(text.as_bytes(), 1);
    vec![text.as_bytes().to_vec(), compressed.expect("a vector takes every write")]
}

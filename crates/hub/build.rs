//! Rebuilds the hub when the web interface was built anew; without one there is an empty folder to embed.
use std::path::Path;

fn main() -> std::io::Result<()> {
    let dist = Path::new("../../web/dist");
    // A path that is missing would make cargo rebuild the crate every time.
    std::fs::create_dir_all(dist)?;
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

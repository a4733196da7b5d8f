//! Compiles `proto/seawall.proto` in pure Rust, so that no protoc has to be installed.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=proto/seawall.proto");
    let descriptors = protox::compile(["proto/seawall.proto"], ["proto"])?;
    tonic_prost_build::configure().build_transport(false).compile_fds(descriptors)?;
    Ok(())
}

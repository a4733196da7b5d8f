//! Compiles the kernel programs with clang: rustc emits no CO-RE relocations.
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=bpf");
    println!("cargo::rerun-if-env-changed=CLANG");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let arch = match std::env::var("CARGO_CFG_TARGET_ARCH").as_deref() {
        Ok("x86_64") => "x86",
        Ok("aarch64") => "arm64",
        other => {
            println!("cargo::error=the kernel programs know no system call numbers for {other:?}");
            return;
        }
    };
    let clang = std::env::var("CLANG").unwrap_or_else(|_| "clang".to_owned());
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR for build scripts");
    let object = Path::new(&out).join("seawall.bpf.o");
    let run = Command::new(&clang)
        .args([
            "-g",
            "-O2",
            "-target",
            "bpf",
            "-mcpu=v3",
            "-Wall",
            "-Werror",
            "-Wno-unused-function",
        ])
        // The build machine's paths must not end up in the binary.
        .args(["-fdebug-compilation-dir=.", &format!("-D__TARGET_ARCH_{arch}")])
        .args(["-c", "bpf/seawall.bpf.c", "-o"])
        .arg(&object)
        .status();
    match run {
        Ok(status) if status.success() => {}
        Ok(status) => {
            println!("cargo::error={clang} could not compile bpf/seawall.bpf.c: {status}")
        }
        Err(error) => println!(
            "cargo::error=cannot run {clang} ({error}), which compiles the kernel programs: install clang (Debian: apt install clang)"
        ),
    }
}

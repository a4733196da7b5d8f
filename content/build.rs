//! Builds the crate anew when a content file comes or goes: `include_dir!` tells the compiler of none.

fn main() {
    for folder in ["detections", "controls", "rbac", "frameworks"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}

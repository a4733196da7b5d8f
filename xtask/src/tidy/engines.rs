//! Engines are functions of values: no file system, network, environment, thread, clock or async.
use super::{Complaint, files, read};
use anyhow::Result;
use std::path::Path;

const ENGINES: [&str; 5] = ["model", "rules", "posture", "extract", "vuln"];

/// Text that must not stand in an engine, and why. `clippy.toml` files do not merge, so the bans live here.
const BANNED: [(&str, &str); 8] = [
    ("std::fs", "engines get bytes, not paths"),
    ("std::net::Tcp", "engines do no IO"),
    ("std::net::Udp", "engines do no IO"),
    ("std::env", "engines get their settings as values"),
    ("std::process", "engines do no IO"),
    ("std::thread", "the caller owns the threads"),
    ("Instant::now", "time is a parameter"),
    ("async fn", "engines never wait"),
];

/// `env!` is read by the compiler. Test modules and `tests/` may do IO; the one clock of `model` is known.
pub(super) fn check(root: &Path) -> Result<Vec<Complaint>> {
    let mut complaints = Vec::new();
    for engine in ENGINES {
        for path in files(root, &format!("crates/{engine}/src"), ".rs")? {
            // A file that only tests see.
            if path.file_stem().is_some_and(|name| name == "tests") {
                continue;
            }
            let text = read(root, &path)?;
            // Test modules stand last in a file.
            let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
            for (number, line) in code.lines().enumerate() {
                let line = line.split("//").next().unwrap_or(line);
                for (banned, why) in BANNED {
                    if line.contains(banned) {
                        let message = format!("`{banned}` in an engine: {why}");
                        complaints.push(Complaint::new(&path, "engine", message).line(number + 1));
                    }
                }
            }
        }
    }
    Ok(complaints)
}

#[test]
fn io_in_engines_is_told() {
    super::tree::check(
        check,
        &[
            ("crates/rules/src/lib.rs", "use std::fs;\n// std::thread in a comment\n"),
            ("crates/vuln/src/lib.rs", "pub async fn wait() {}\n"),
            (
                "crates/vuln/src/order.rs",
                "pub fn f() {}\n#[cfg(test)]\nmod tests { use std::fs; }\n",
            ),
            ("crates/oci/src/lib.rs", "use std::fs;\n"),
        ],
        &["crates/rules/src/lib.rs engine", "crates/vuln/src/lib.rs engine"],
    );
}

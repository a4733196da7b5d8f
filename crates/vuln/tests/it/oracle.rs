//! Outside judges where the machine has them: dpkg for Debian's order, pip's `packaging` for PEP 440.
use seawall_vuln::Scheme;
use seawall_vuln::order::symbol;
use std::io::Write;
use std::process::{Command, Stdio};

/// Deterministic pseudo-random strings over the pieces of a grammar.
fn versions(pieces: &[&str], count: usize) -> Vec<String> {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut next = |bound: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % bound
    };
    (0..count)
        .map(|_| {
            let len = 1 + next(6);
            let tail: String = (0..len).map(|_| pieces[next(pieces.len())]).collect();
            format!("{}{tail}", next(3))
        })
        .collect()
}

#[test]
fn dpkg_agrees() {
    let pieces = ["1", "0", "10", "a", "b", "~", "+", ".", "-", "deb11u1", "rc", "007"];
    // 0 holds, 1 does not, 2 is a version that dpkg refuses, such as one with an empty revision.
    let dpkg = |a: &str, operator: &str, b: &str| {
        let mut command = Command::new("dpkg");
        let status =
            command.args(["--compare-versions", a, operator, b]).stderr(Stdio::null()).status();
        status.ok().and_then(|status| status.code())
    };
    if dpkg("1", "lt", "2") != Some(0) {
        return println!("skipped: no dpkg on this machine");
    }
    let mut compared = 0;
    for pair in versions(&pieces, 1_200).windows(2) {
        let [a, b] = pair else { unreachable!("windows of two") };
        let operators = [("lt", "<"), ("eq", "="), ("gt", ">")];
        let expected = operators.iter().find(|(operator, _)| dpkg(a, operator, b) == Some(0));
        let Some((_, expected)) = expected else { continue };
        assert_eq!(Scheme::Debian.compare(a, b).map(symbol), Some(*expected), "{a} against {b}");
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
}

const PACKAGING: &str = "
import sys
from pip._vendor.packaging.version import Version, InvalidVersion
for line in sys.stdin:
    a, b = line.rstrip('\\n').split('\\t')
    try:
        a, b = Version(a), Version(b)
        print('<' if a < b else '>' if a > b else '=')
    except InvalidVersion:
        print('legacy')
";

#[test]
fn packaging_agrees() {
    let pieces = [
        "1", "0", "10", "a", "b2", "rc", ".", "-", "_", "post", "dev", "+", "x", "r", "alpha", "c",
        "!", "preview",
    ];
    let versions = versions(&pieces, 6_000);
    let spawned = Command::new("python3")
        .args(["-c", PACKAGING])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut python) = spawned else { return println!("skipped: no python3 on this machine") };
    let lines: String =
        versions.windows(2).map(|pair| format!("{}\t{}\n", pair[0], pair[1])).collect();
    let mut stdin = python.stdin.take().unwrap();
    // A python without pip closes its input at once; its empty output is the answer then.
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).is_ok());
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap();
    if !output.status.success() {
        return println!("skipped: this python3 has no pip");
    }
    let answers = String::from_utf8(output.stdout).unwrap();
    let mut compared = 0;
    for (pair, answer) in
        versions.windows(2).zip(answers.lines()).filter(|(_, answer)| *answer != "legacy")
    {
        let order = Scheme::PyPI.compare(&pair[0], &pair[1]).map(symbol);
        assert_eq!(order, Some(answer), "{} against {}", pair[0], pair[1]);
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
}

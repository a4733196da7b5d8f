//! Outside judges where the machine has them: dpkg for Debian's order, pip's `packaging` for PEP 440, Ruby, PHP and rpm
//! for theirs.
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

/// What a program that reads `A\tB` lines answers to each pair of neighbours; `None` if the machine lacks it.
fn answers(program: &str, args: &[&str], versions: &[String]) -> Option<Vec<String>> {
    let spawned = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut child = spawned.ok()?;
    let lines: String =
        versions.windows(2).map(|pair| format!("{}\t{}\n", pair[0], pair[1])).collect();
    let mut stdin = child.stdin.take().unwrap();
    // A program without its library closes its input at once; its status is the answer then.
    let writer = std::thread::spawn(move || stdin.write_all(lines.as_bytes()).is_ok());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    // Some print an empty line more.
    let lines = text.lines().filter(|line| !line.is_empty());
    output.status.success().then(|| lines.map(str::to_owned).collect())
}

/// Compares as the program does wherever it answers `<`, `=` or `>`, which must be often. `None` if the machine lacks
/// the program.
#[track_caller]
fn check(scheme: Scheme, program: &str, args: &[&str], versions: &[String]) -> Option<()> {
    let answers = answers(program, args, versions)?;
    let mut compared = 0;
    for (pair, answer) in versions.windows(2).zip(answers) {
        if !["<", "=", ">"].contains(&answer.as_str()) {
            continue;
        }
        let order = scheme.compare(&pair[0], &pair[1]).map(symbol);
        assert_eq!(order, Some(answer.as_str()), "{} against {}", pair[0], pair[1]);
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
    Some(())
}

const SKIPPED: &str = "skipped: this machine lacks the judge, or a part of it";

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
    if check(Scheme::PyPI, "python3", &["-c", PACKAGING], &versions(&pieces, 6_000)).is_none() {
        println!("{SKIPPED}");
    }
}

const GEM: &str = "
STDIN.each_line do |line|
  a, b = line.chomp.split(\"\t\").map { |text| Gem::Version.new(text) if Gem::Version.correct?(text) }
  puts a && b ? '<=>'[(a <=> b) + 1] : 'malformed'
end
";

#[test]
fn gem_agrees() {
    let pieces = ["1", "0", ".0", ".0.", ".", ".a", "a", "b", "-", "pre", ".10", ".A", "-rc1"];
    if check(Scheme::RubyGems, "ruby", &["-e", GEM], &versions(&pieces, 6_000)).is_none() {
        println!("{SKIPPED}");
    }
}

const PHP: &str = r#"
while (($line = fgets(STDIN)) !== false) {
    [$a, $b] = explode("\t", rtrim($line, "\n"));
    echo "<=>"[version_compare($a, $b) + 1], "\n";
}
"#;

#[test]
fn php_agrees() {
    let pieces = [
        ".1", ".0", ".10", "-dev", "a", "b2", "-RC1", "rc", "+7", "_p", "pl1", ".x", "alpha",
        "-Beta", ".",
    ];
    let mut versions = versions(&pieces, 6_000);
    // After a separator at the end, PHP contradicts itself.
    versions.retain(|version| !version.ends_with('.'));
    if check(Scheme::Packagist, "php", &["-n", "-r", PHP], &versions).is_none() {
        println!("{SKIPPED}");
    }
}

const RPM: &str = r#"%{lua:
for line in io.lines() do
    local a, b = line:match("^(.*)\t(.*)$")
    local order = rpm.vercmp(a, b)
    print((order < 0 and "<" or order > 0 and ">" or "=") .. "\n")
end
}"#;

#[test]
fn rpm_agrees() {
    let pieces = ["1", "0", "10", ".", "_", "~", "^", "a", "ab", "el", "rc", "007", "+", "git"];
    if check(Scheme::RedHat, "rpm", &["--eval", RPM], &versions(&pieces, 6_000)).is_none() {
        println!("{SKIPPED}");
    }
}

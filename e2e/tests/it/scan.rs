//! What is installed has the flaws that an independent reading of the feed gives it.
use crate::begin;
use crate::rig::{seawall, text_of};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Real releases with real flaws, as wheels.
const PYTHON: [&str; 5] =
    ["Django==2.2.0", "requests==2.19.0", "urllib3==1.24.1", "Jinja2==2.10", "Flask==0.12.2"];

const GO_MOD: &str = "module example.test/old\n\ngo 1.21\n\nrequire (\n\tgolang.org/x/net v0.1.0\n\tgolang.org/x/text v0.3.7\n)\n";
const GO_MAIN: &str = "package main\n\nimport (\n\t\"golang.org/x/net/html\"\n\t\"golang.org/x/text/language\"\n)\n\n\
    func main() {\n\tprintln(html.EscapeString(language.English.String()))\n}\n";

fn run(command: &mut Command) -> Result<String> {
    let what = format!("{command:?}");
    text_of(command.output().with_context(|| format!("cannot run {what}"))?, &what)
}

/// A Debian 12 root with old Python packages and a Go program that links old modules.
fn old_root(dir: &Path) -> Result<PathBuf> {
    let root = dir.join("root");
    let site = root.join("usr/local/lib/python3.11/site-packages");
    std::fs::create_dir_all(&site)?;
    std::fs::create_dir_all(root.join("etc"))?;
    std::fs::create_dir_all(root.join("var/lib/dpkg"))?;
    std::fs::create_dir_all(root.join("usr/local/bin"))?;
    std::fs::write(
        root.join("etc/os-release"),
        "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n",
    )?;
    std::fs::write(
        root.join("var/lib/dpkg/status"),
        "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2.15-2+b2\n\n",
    )?;
    run(Command::new("pip")
        .args(["install", "--quiet", "--no-deps", "--target"])
        .arg(&site)
        .args(PYTHON))?;
    let module = dir.join("module");
    std::fs::create_dir_all(&module)?;
    std::fs::write(module.join("go.mod"), GO_MOD)?;
    std::fs::write(module.join("main.go"), GO_MAIN)?;
    let go = |arguments: &[&str]| {
        run(Command::new("go").args(arguments).current_dir(&module).env("GOFLAGS", "-mod=mod"))
    };
    go(&["mod", "tidy"])?;
    go(&["build", "-o", &root.join("usr/local/bin/old").display().to_string(), "."])?;
    Ok(root)
}

/// The root as one layer of a docker-save archive.
fn archive(dir: &Path, root: &Path) -> Result<PathBuf> {
    let layer = dir.join("layer.tar");
    run(Command::new("tar")
        .args(["--sort=name", "--mtime=@0", "-C"])
        .arg(root)
        .arg("-cf")
        .arg(&layer)
        .arg("."))?;
    let sum = run(Command::new("sha256sum").arg(&layer))?;
    let diff_id = sum.split_whitespace().next().context("sha256sum prints a sum")?;
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#
    );
    std::fs::write(dir.join("config.json"), config)?;
    std::fs::write(
        dir.join("manifest.json"),
        r#"[{"Config":"config.json","RepoTags":["example.test/old:1"],"Layers":["layer.tar"]}]"#,
    )?;
    let image = dir.join("old.tar");
    run(Command::new("tar").arg("-C").arg(dir).arg("-cf").arg(&image).args([
        "manifest.json",
        "config.json",
        "layer.tar",
    ]))?;
    Ok(image)
}

/// A report and the exit code.
fn scan(arguments: &[&str]) -> Result<(Value, Option<i32>)> {
    let output =
        Command::new(seawall()).arg("scan").args(arguments).args(["--format", "json"]).output()?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{arguments:?}: {errors}"))?;
    Ok((report, output.status.code()))
}

/// `ECOSYSTEM NAME VERSION FLAW` of what holds.
fn found(report: &Value) -> BTreeSet<String> {
    let findings = report["findings"].as_array().into_iter().flatten();
    let holds = findings.filter(|finding| finding["state"] == "unhealthy");
    holds
        .map(|finding| {
            let package = &finding["package"];
            let ecosystem = if package["purl"].as_str().unwrap_or_default().starts_with("pkg:pypi/")
            {
                "PyPI"
            } else {
                "Go"
            };
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "{ecosystem} {} {} {}",
                text(&package["name"]),
                text(&package["version"]),
                text(&finding["id"])
            )
        })
        .collect()
}

#[test]
fn findings_equal_an_independent_reading() -> Result<()> {
    let Some(_turn) = begin("findings equal an independent reading of the feed") else {
        return Ok(());
    };
    let feeds = crate::root().join("../shared/data/feeds");
    if !feeds.exists() {
        eprintln!("skipped: findings equal an independent reading: needs the feeds in ../shared");
        return Ok(());
    }
    let dir = tempfile::tempdir()?;
    let root = old_root(dir.path())?;
    let image = archive(dir.path(), &root)?;
    let db = dir.path().join("db").display().to_string();
    run(Command::new(seawall()).args(["db", "build", "--out", &db, "--feeds"]).arg(&feeds))?;

    let judge = run(Command::new("python3")
        .arg(crate::root().join("e2e/judges/osv.py"))
        .arg(&feeds)
        .arg(root.join("usr/local/lib/python3.11/site-packages"))
        .arg(root.join("usr/local/bin/old")))?;
    let expected: BTreeSet<String> = judge.lines().map(str::to_owned).collect();
    ensure!(expected.len() > 20, "the judge found almost nothing: {judge}");

    let (tree, code) = scan(&["fs", &root.display().to_string(), "--db", &db])?;
    assert_eq!(found(&tree), expected, "scan fs");
    assert_eq!(code, Some(4), "the feed ends before Debian 12: incomplete, not clean");
    let problems = tree["problems"].to_string();
    assert!(problems.contains("Debian") && problems.contains("12"), "{problems}");

    let reference = format!("docker-archive:{}", image.display());
    let (image, code) =
        scan(&["image", &reference, "--no-cache", "--db", &db, "--fail-on", "high"])?;
    assert_eq!(found(&image), expected, "scan image");
    assert_eq!(code, Some(1), "1 beats 4");
    let django = image["findings"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|finding| finding["package"]["name"] == "django");
    let fixed = django.filter(|finding| {
        finding["fix"]["status"] == "available"
            && finding["fix"]["versions"][0]["version"].is_string()
    });
    assert!(fixed.count() > 5, "findings name the fixed version");
    eprintln!(
        "{} flaws of {} packages, as the judge says",
        expected.len(),
        image["packages"].as_array().map_or(0, Vec::len)
    );
    Ok(())
}

//! `seawall scan image REGISTRY/NAME:TAG` on Debian's docker-registry, filled by skopeo.
use crate::bench::*;
use crate::process::{free_port, is_there, serve};
use sha2::{Digest, Sha256};
use std::process::Command;

/// Runs a program that must succeed, in the directory of the bench.
#[track_caller]
fn run(bench: &Bench, program: &str, arguments: &[&str]) {
    let output =
        Command::new(program).args(arguments).current_dir(bench.path("")).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", stderr(&output));
}

/// `image.tar`: the root of the bench as the only layer of a docker-save archive.
fn archive(bench: &Bench) {
    run(bench, "tar", &["--owner=0", "--mtime=@0", "-C", "root", "-cf", "layer.tar", "."]);
    let layer = std::fs::read(bench.path("layer.tar")).unwrap();
    let diff_id = hex::encode(Sha256::digest(layer));
    bench.put(
        "config.json",
        format!(r#"{{"os":"linux","architecture":"amd64","config":{{}},"rootfs":{{"type":"layers","diff_ids":["sha256:{diff_id}"]}}}}"#),
    );
    let manifest = r#"[{"Config":"config.json","RepoTags":["own/app:1"],"Layers":["layer.tar"]}]"#;
    bench.put("manifest.json", manifest);
    run(bench, "tar", &["-cf", "image.tar", "manifest.json", "config.json", "layer.tar"]);
}

/// A self-signed certificate of this machine: `ca.pem`, and its `key.pem`.
fn certificate(bench: &Bench) {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    bench.put("ca.pem", own.cert.pem());
    bench.put("key.pem", own.signing_key.serialize_pem());
}

#[test]
fn images_are_scanned_as_their_archives() {
    let test = "images_are_scanned_as_their_archives";
    if !is_there(test, "docker-registry") || !is_there(test, "skopeo") {
        return;
    }
    let (bench, port) = (Bench::new(), free_port());
    archive(&bench);
    certificate(&bench);
    let host = format!("127.0.0.1:{port}");
    let (path, storage) =
        (|file: &str| bench.path(file).display().to_string(), bench.path("storage"));
    bench.put(
        "config.yml",
        format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \
             \"{host}\", tls: {{certificate: {}, key: {}}}}}\n",
            storage.display(),
            path("ca.pem"),
            path("key.pem"),
        ),
    );
    let _registry =
        serve(Command::new("docker-registry").args(["serve", &path("config.yml")]), port);
    let image = format!("{host}/own/app:1");
    let target = format!("docker://{image}");
    let push = [
        "copy",
        "--quiet",
        "--insecure-policy",
        "--dest-tls-verify=false",
        "docker-archive:image.tar",
        &target,
    ];
    run(&bench, "skopeo", &push);
    let scan = |reference: &str, more: &[&str]| {
        bench.run(
            &[&["scan", "image", reference, "--db", "db", "--format", "json", "--no-cache"], more]
                .concat(),
        )
    };
    let platform = ["--platform", "linux/amd64"];
    let archive: serde_json::Value =
        serde_json::from_slice(&scan("image.tar", &platform).stdout).unwrap();
    for trust in [["--ca", "ca.pem"], ["--insecure-registry", &host]] {
        let output = scan(&image, &[&platform[..], &trust].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["findings"], archive["findings"]);
        assert_eq!(report["packages"], archive["packages"]);
        assert_eq!(report["findings"].as_array().unwrap().len(), 1);
        assert_eq!(report["target"]["name"], image.as_str(), "{}", report["target"]);
    }
    #[track_caller]
    fn refused(output: &std::process::Output, expected: i32, said: &str) {
        assert_eq!(code(output), expected, "{}", stderr(output));
        assert!(stderr(output).contains(said), "no {said:?} in {}", stderr(output));
    }
    refused(&scan(&image, &[]), 3, "its certificate is not trusted: name the CA");
    refused(&scan(&image, &["--ca", "none.pem"]), 2, "cannot read the CA none.pem");
    refused(&scan(&image, &["--ca", "config.yml"]), 3, "the CA given holds no certificate");
    let missing = format!("{host}/own/app:2");
    refused(&scan(&missing, &["--ca", "ca.pem"]), 3, "MANIFEST_UNKNOWN: manifest unknown");
    refused(&scan(&image, &["--offline"]), 2, "opens no socket, and a registry is behind one");
    let other = ["--ca", "ca.pem", "--platform", "linux/s390x"];
    refused(&scan(&image, &other), 3, "there is no image for platform linux/s390x");
}

#[test]
fn what_is_no_file_is_a_name() {
    let bench = Bench::new();
    let check = |reference: &str, said: &str| {
        let output = bench.run(&["scan", "image", reference, "--db", "db", "--offline"]);
        assert!(stderr(&output).contains(said), "no {said:?} in {}", stderr(&output));
    };
    check("alpine", "a registry is behind one");
    check("docker://alpine", "a registry is behind one");
    check("none.tar", "it ends as an archive does");
    check("./none", "is no file or directory here, and no name of an image");
}

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

/// Puts `content` into the registry and gives its descriptor. Source: OCI distribution 1.1, "Pushing blobs".
#[track_caller]
fn push_blob(bench: &Bench, base: &str, content: &str) -> serde_json::Value {
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(content)));
    let begin = ["-sf", "-o", "/dev/null", "-D", "-", "-X", "POST"];
    let url = format!("{base}/blobs/uploads/");
    let begun = curl(bench, &[&begin[..], &[&url]].concat());
    let location = begun.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("location").then(|| value.trim().to_owned())
    });
    let url = format!("{}&digest={digest}", location.unwrap());
    put(bench, &url, "application/octet-stream", content);
    serde_json::json!({"digest": digest, "size": content.len()})
}

#[track_caller]
fn put(bench: &Bench, url: &str, media_type: &str, content: &str) {
    bench.put("pushed", content);
    let kind = format!("Content-Type: {media_type}");
    curl(bench, &["-sf", "-X", "PUT", "-H", &kind, "--data-binary", "@pushed", url]);
}

#[track_caller]
fn curl(bench: &Bench, arguments: &[&str]) -> String {
    let output = Command::new("curl").args(arguments).current_dir(bench.path("")).output().unwrap();
    assert!(output.status.success(), "curl {arguments:?}: {}", stderr(&output));
    stdout(&output).to_owned()
}

#[test]
fn vex_documents_lie_at_their_image() {
    let test = "vex_documents_lie_at_their_image";
    if !["docker-registry", "skopeo", "curl"].iter().all(|program| is_there(test, program)) {
        return;
    }
    let (bench, port) = (Bench::new(), free_port());
    archive(&bench);
    let (host, storage) = (format!("127.0.0.1:{port}"), bench.path("storage"));
    let storage = storage.display();
    bench.put(
        "config.yml",
        format!("version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {storage}}}}}\nhttp: {{addr: \"{host}\"}}\n"),
    );
    let config = bench.path("config.yml").display().to_string();
    let _registry = serve(Command::new("docker-registry").args(["serve", &config]), port);
    let (image, target) = (format!("{host}/own/app:1"), format!("docker://{host}/own/app:1"));
    let copy = ["copy", "--quiet", "--insecure-policy", "--dest-tls-verify=false"];
    run(&bench, "skopeo", &[&copy[..], &["docker-archive:image.tar", &target]].concat());
    let more = ["--db", "db", "--no-cache", "--insecure-registry", &host, "--vex", "attached"];
    let scan = || {
        let json = ["--format", "json", "--platform", "linux/amd64"];
        bench.run(&[&["scan", "image", &image], &more[..], &json].concat())
    };
    let report = |output: &std::process::Output| -> serde_json::Value {
        assert_eq!(code(output), 0, "{}", stderr(output));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let none = scan();
    assert!(stderr(&none).contains("no VEX document is attached"), "{}", stderr(&none));
    let digest = report(&none)["target"]["digest"].as_str().unwrap().to_owned();

    let base = format!("http://{host}/v2/own/app");
    let vex = r#"{"@context":"https://openvex.dev/ns/v0.2.0","author":"vendor","statements":[
        {"vulnerability":"CVE-2024-0001","status":"not_affected","impact_statement":"patched"}]}"#;
    let kind = "application/vnd.openvex+json";
    let (empty, layer) = (push_blob(&bench, &base, "{}"), push_blob(&bench, &base, vex));
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let with_type = |mut descriptor: serde_json::Value, kind: &str| {
        descriptor["mediaType"] = kind.into();
        descriptor
    };
    let manifest = serde_json::json!({"schemaVersion": 2, "mediaType": manifest_type, "artifactType": kind,
        "config": with_type(empty, "application/vnd.oci.empty.v1+json"), "layers": [with_type(layer, kind)]})
    .to_string();
    let own = format!("sha256:{}", hex::encode(Sha256::digest(&manifest)));
    put(&bench, &format!("{base}/manifests/{own}"), manifest_type, &manifest);
    let index_type = "application/vnd.oci.image.index.v1+json";
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": index_type, "manifests": [
        {"mediaType": manifest_type, "digest": own, "size": manifest.len(), "artifactType": kind}]});
    let tag = digest.replace(':', "-");
    put(&bench, &format!("{base}/manifests/{tag}"), index_type, &index.to_string());

    let output = scan();
    let finding = report(&output)["findings"][0].clone();
    assert_eq!(
        (&finding["state"], &finding["exemption"]["by"]),
        (&"exempt".into(), &"vendor".into())
    );
    assert!(stderr(&output).contains("signatures were not checked"), "{}", stderr(&output));
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

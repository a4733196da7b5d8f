//! etcd's settings from where flags are not: its environment and its configuration file.
//! Source: etcd 3.6 `server/etcdmain/etcd.go` (flags before environment; with `--config-file` neither counts),
//! `pkg/flags/flag.go` (`ETCD_` and the flag's name), `server/embed/config.go` (the file's sections).
use super::flags::known_harmless;
use seawall_model::facts::Flags;
use serde_json::Value;

/// What `variables` (name, value) say and no flag does.
pub fn add_environment<'a>(
    flags: &mut Flags,
    variables: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    for (name, value) in variables {
        let Some(name) = name.strip_prefix("ETCD_") else { continue };
        let name = name.to_lowercase().replace('_', "-");
        if known_harmless(&name) {
            flags.entry(name).or_insert_with(|| value.to_owned());
        }
    }
}

/// The flags that a configuration file amounts to.
pub fn of_file(document: &Value) -> Flags {
    let mut flags = Flags::new();
    let mut take = |section: Option<&Value>, prefix: &str| {
        for (key, value) in section.and_then(Value::as_object).into_iter().flatten() {
            let name = format!("{prefix}{key}");
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Bool(_) | Value::Number(_) => value.to_string(),
                _ => continue,
            };
            if known_harmless(&name) && !text.is_empty() {
                flags.insert(name, text);
            }
        }
    };
    take(Some(document), "");
    take(document.get("client-transport-security"), "");
    take(document.get("peer-transport-security"), "peer-");
    flags
}

#[test]
fn every_source_is_read() {
    let mut flags = super::flags::parse(["--cert-file=/flag"]);
    let variables = [
        ("ETCD_CERT_FILE", "/env"),
        ("ETCD_KEY_FILE", "/key"),
        ("ETCD_ROOT_PASSWORD", "x"),
        ("HOME", "/"),
    ];
    add_environment(&mut flags, variables);
    let expected = [("cert-file", "/flag"), ("key-file", "/key")];
    assert_eq!(flags, expected.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect());
    let file = of_file(&serde_json::json!({
        "data-dir": "/d", "initial-cluster-token": "secret",
        "client-transport-security": {"client-cert-auth": true, "cert-file": ""},
        "peer-transport-security": {"auto-tls": false, "cert-file": "/p"},
    }));
    let expected = [
        ("client-cert-auth", "true"),
        ("data-dir", "/d"),
        ("peer-auto-tls", "false"),
        ("peer-cert-file", "/p"),
    ];
    assert_eq!(file, expected.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect());
}

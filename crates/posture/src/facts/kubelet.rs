//! The settings a kubelet really runs with.
//! Source: Kubernetes 1.36 `cmd/kubelet/app/server.go` (order: defaults, file, drop-ins, flags; feature gates add up),
//! `cmd/kubelet/app/options/options.go` (flags; legacy defaults without a file), `pkg/kubelet/apis/config/v1beta1/defaults.go`.
use super::flags;
use crate::pointer;
use seawall_model::facts::Flags;
use serde_json::{Map, Value, json};

/// The fields that controls ask for. What else a configuration holds, such as headers for static pods, stays behind.
const FIELDS: &[&str] = &[
    "/authentication/anonymous/enabled",
    "/authentication/webhook/enabled",
    "/authentication/x509/clientCAFile",
    "/authorization/mode",
    "/address",
    "/eventBurst",
    "/eventRecordQPS",
    "/featureGates",
    "/imagePullCredentialsVerificationPolicy",
    "/makeIPTablesUtilChains",
    "/podPidsLimit",
    "/port",
    "/protectKernelDefaults",
    "/readOnlyPort",
    "/rotateCertificates",
    "/seccompDefault",
    "/serverTLSBootstrap",
    "/staticPodPath",
    "/streamingConnectionIdleTimeout",
    "/tlsCertFile",
    "/tlsCipherSuites",
    "/tlsMinVersion",
    "/tlsPrivateKeyFile",
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Switch,
    Number,
    List,
}

/// Flags that change a field of the configuration.
const FLAGS: &[(&str, &str, Kind)] = &[
    ("address", "/address", Kind::Text),
    ("anonymous-auth", "/authentication/anonymous/enabled", Kind::Switch),
    ("authentication-token-webhook", "/authentication/webhook/enabled", Kind::Switch),
    ("authorization-mode", "/authorization/mode", Kind::Text),
    ("client-ca-file", "/authentication/x509/clientCAFile", Kind::Text),
    ("event-burst", "/eventBurst", Kind::Number),
    ("event-qps", "/eventRecordQPS", Kind::Number),
    ("make-iptables-util-chains", "/makeIPTablesUtilChains", Kind::Switch),
    ("pod-manifest-path", "/staticPodPath", Kind::Text),
    ("pod-max-pids", "/podPidsLimit", Kind::Number),
    ("port", "/port", Kind::Number),
    ("protect-kernel-defaults", "/protectKernelDefaults", Kind::Switch),
    ("read-only-port", "/readOnlyPort", Kind::Number),
    ("rotate-certificates", "/rotateCertificates", Kind::Switch),
    ("rotate-server-certificates", "/serverTLSBootstrap", Kind::Switch),
    ("seccomp-default", "/seccompDefault", Kind::Switch),
    ("streaming-connection-idle-timeout", "/streamingConnectionIdleTimeout", Kind::Text),
    ("tls-cert-file", "/tlsCertFile", Kind::Text),
    ("tls-cipher-suites", "/tlsCipherSuites", Kind::List),
    ("tls-min-version", "/tlsMinVersion", Kind::Text),
    ("tls-private-key-file", "/tlsPrivateKeyFile", Kind::Text),
];

/// The effective configuration, as far as [`FIELDS`] go. `file` is the document that `--config` names, `None` where
/// the flag is not given; `drop_ins` those of `--config-dir`, in lexical order of their paths. `minor` is the
/// kubelet's, the newest where it is not known.
pub fn effective(
    file: Option<&Value>,
    drop_ins: &[Value],
    flags: &Flags,
    minor: Option<u32>,
) -> Map<String, Value> {
    // Without a file what flags defaulted to before there was one still holds, also below drop-ins.
    let mut document = file.cloned().unwrap_or_else(|| {
        json!({
            "authentication": {"anonymous": {"enabled": true}, "webhook": {"enabled": false}},
            "authorization": {"mode": "AlwaysAllow"},
            "readOnlyPort": 10_255,
        })
    });
    for drop_in in drop_ins {
        merge(&mut document, drop_in);
    }
    let mut config = json!({});
    for field in FIELDS {
        if let Some(value) = document.pointer(field).filter(|value| !value.is_null()) {
            set(&mut config, field, value.clone());
        }
    }
    defaults(&mut config, minor);
    for (name, field, kind) in FLAGS {
        if let Some(value) = flags.get(*name).and_then(|text| typed(text, *kind)) {
            set(&mut config, field, value);
        }
    }
    if let Some(gates) = flags.get("feature-gates") {
        for (gate, value) in gates.split(',').filter_map(|pair| pair.split_once('=')) {
            if let Some(value) = typed(value.trim(), Kind::Switch) {
                config["featureGates"][gate.trim()] = value;
            }
        }
    }
    match config {
        Value::Object(config) => config,
        _ => Map::new(),
    }
}

/// JSON Merge Patch (RFC 7396), which is how drop-ins are merged: lists are replaced, null removes.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in members {
        if value.is_null() {
            if let Some(target) = target.as_object_mut() {
                target.remove(key);
            }
        } else {
            merge(&mut target[key.as_str()], value);
        }
    }
}

/// Go decodes what is left out and the zero value alike, so that a zero with `omitempty` is replaced by the default,
/// too. Pointers (`enabled: false`) are not.
fn defaults(config: &mut Value, minor: Option<u32>) {
    let absent = |config: &Value, field: &str| config.pointer(field).is_none();
    let switches = [
        ("/authentication/anonymous/enabled", false),
        ("/authentication/webhook/enabled", true),
        ("/makeIPTablesUtilChains", true),
        ("/protectKernelDefaults", false),
        ("/rotateCertificates", false),
        ("/seccompDefault", false),
        ("/serverTLSBootstrap", false),
    ];
    for (field, default) in switches {
        if absent(config, field) {
            set(config, field, default.into());
        }
    }
    // Raised tenfold in 1.27.
    let (qps, burst) = if minor.is_some_and(|minor| minor < 27) { (5, 10) } else { (50, 100) };
    for (field, default) in [("/eventRecordQPS", qps), ("/readOnlyPort", 0)] {
        if absent(config, field) {
            set(config, field, default.into());
        }
    }
    let zero = |config: &Value, field: &str| config.pointer(field).is_none_or(|value| value == 0);
    for (field, default) in [("/eventBurst", burst), ("/port", 10_250)] {
        if zero(config, field) {
            set(config, field, default.into());
        }
    }
    let limit = config.pointer("/podPidsLimit").and_then(Value::as_i64);
    set(config, "/podPidsLimit", limit.filter(|limit| *limit >= 0).unwrap_or(-1).into());
    let empty = |config: &Value, field: &str| {
        config.pointer(field).is_none_or(|value| value.as_str() == Some(""))
    };
    for (field, default) in [("/address", "0.0.0.0"), ("/authorization/mode", "Webhook")] {
        if empty(config, field) {
            set(config, field, default.into());
        }
    }
    // A zero in the file is taken for "not set"; only the flag switches the timeout off.
    let timeout = config.pointer("/streamingConnectionIdleTimeout").and_then(Value::as_str);
    if timeout.is_none_or(|timeout| !timeout.bytes().any(|byte| matches!(byte, b'1'..=b'9'))) {
        set(config, "/streamingConnectionIdleTimeout", "4h0m0s".into());
    }
    if !config["featureGates"].is_object() {
        config["featureGates"] = json!({});
    }
    // KubeletEnsureSecretPulledImages: alpha and off in 1.33, beta and on from 1.35.
    let gate = config["featureGates"]["KubeletEnsureSecretPulledImages"].as_bool();
    let verifies = gate.unwrap_or(minor.is_none_or(|minor| minor >= 35));
    if verifies && empty(config, "/imagePullCredentialsVerificationPolicy") {
        let policy = "NeverVerifyPreloadedImages";
        set(config, "/imagePullCredentialsVerificationPolicy", policy.into());
    }
}

/// A flag's text as the field's type; `None` where the kubelet itself would refuse it.
fn typed(text: &str, kind: Kind) -> Option<Value> {
    match kind {
        Kind::Text => Some(text.into()),
        // Go's strconv.ParseBool.
        Kind::Switch => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true.into()),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false.into()),
            _ => None,
        },
        Kind::Number => text.parse::<i64>().ok().map(Value::from),
        Kind::List => Some(text.split(',').filter(|item| !item.is_empty()).collect()),
    }
}

fn set(config: &mut Value, field: &str, value: Value) {
    let mut place = config;
    for token in pointer::tokens(field) {
        if !place.is_object() {
            *place = json!({});
        }
        place = &mut place[token.as_ref()];
    }
    *place = value;
}

/// The minor of `v1.36.3`.
pub fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix('v').unwrap_or(version).strip_prefix("1.")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The flags of a kubelet's command line.
pub fn flags_of(arguments: &[String]) -> Flags {
    flags::parse(arguments.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Effective value at `field`.
    #[track_caller]
    fn check(file: Option<Value>, drop_ins: &[Value], line: &str, field: &str, expected: Value) {
        let flags = flags::parse(line.split(' ').filter(|word| !word.is_empty()));
        let config = Value::Object(effective(file.as_ref(), drop_ins, &flags, Some(36)));
        assert_eq!(pointer::value_at(&config, field), expected, "{field} of {file:?} {line}");
    }

    #[test]
    fn without_a_file_the_old_defaults_hold() {
        check(None, &[], "", "/authentication/anonymous/enabled", json!(true));
        check(None, &[], "", "/authorization/mode", json!("AlwaysAllow"));
        check(None, &[], "", "/readOnlyPort", json!(10255));
        check(None, &[], "--read-only-port=0", "/readOnlyPort", json!(0));
        let drop_in = [json!({"authorization": {"mode": "Webhook"}})];
        check(None, &drop_in, "", "/authentication/anonymous/enabled", json!(true));
        check(None, &drop_in, "", "/authorization/mode", json!("Webhook"));
        let file = || Some(json!({"kind": "KubeletConfiguration"}));
        check(file(), &[], "", "/authentication/anonymous/enabled", json!(false));
        check(file(), &[], "", "/authorization/mode", json!("Webhook"));
        check(file(), &[], "", "/readOnlyPort", json!(0));
    }

    #[test]
    fn flags_over_drop_ins_over_file() {
        let file = || {
            Some(
                json!({"readOnlyPort": 1, "tlsCipherSuites": ["a"], "authorization": {"mode": "AlwaysAllow"}}),
            )
        };
        let drop_in = [json!({"readOnlyPort": 2}), json!({"tlsCipherSuites": ["b", "c"]})];
        check(file(), &[], "", "/readOnlyPort", json!(1));
        check(file(), &drop_in, "", "/readOnlyPort", json!(2));
        check(file(), &drop_in, "--read-only-port=3", "/readOnlyPort", json!(3));
        check(file(), &drop_in, "", "/tlsCipherSuites", json!(["b", "c"]));
        check(file(), &drop_in, "", "/authorization/mode", json!("AlwaysAllow"));
        check(
            file(),
            &[json!({"authorization": null})],
            "",
            "/authorization/mode",
            json!("Webhook"),
        );
    }

    #[test]
    fn zeros_in_files_are_no_answers() {
        let file = || {
            Some(
                json!({"streamingConnectionIdleTimeout": "0s", "podPidsLimit": -5, "eventRecordQPS": 0}),
            )
        };
        check(file(), &[], "", "/streamingConnectionIdleTimeout", json!("4h0m0s"));
        check(
            file(),
            &[],
            "--streaming-connection-idle-timeout=0",
            "/streamingConnectionIdleTimeout",
            json!("0"),
        );
        check(file(), &[], "", "/podPidsLimit", json!(-1));
        check(file(), &[], "", "/eventRecordQPS", json!(0));
    }

    #[test]
    fn feature_gates_add_up() {
        let file = || Some(json!({"featureGates": {"A": true, "B": true}}));
        check(
            file(),
            &[],
            "--feature-gates=B=false,C=true",
            "/featureGates",
            json!({"A": true, "B": false, "C": true}),
        );
    }

    #[test]
    fn secrets_of_a_configuration_stay_behind() {
        let file = json!({"staticPodURL": "https://u:p@h", "staticPodURLHeader": {"Authorization": ["Bearer x"]}});
        let config = effective(Some(&file), &[], &Flags::new(), None);
        assert!(!Value::Object(config).to_string().contains("Bearer"));
    }

    #[test]
    fn minors() {
        assert_eq!(minor("v1.29.3-gke.10"), Some(29));
        assert_eq!(minor("1.36"), Some(36));
        assert_eq!(minor("devel"), None);
    }
}

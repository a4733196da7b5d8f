//! The settings a kube-proxy really runs with.
//! Source: Kubernetes 1.36 `cmd/kube-proxy/app/options.go` (`Complete`: with `--config` other flags are not read),
//! `pkg/proxy/apis/config/v1alpha1/defaults.go`.
use seawall_model::facts::Flags;
use serde_json::{Map, Value, json};

/// Metrics and the proxy's mode are served here by default.
const METRICS: &str = "127.0.0.1:10249";

/// `file` is the document that `--config` names, `None` where the flag is not given.
pub fn effective(file: Option<&Value>, flags: &Flags) -> Map<String, Value> {
    let text = |pointer: &str| file.and_then(|file| file.pointer(pointer)).and_then(Value::as_str);
    let flag = |name: &str| flags.get(name).map(String::as_str).filter(|_| file.is_none());
    let given = |own: Option<&str>| own.filter(|own| !own.is_empty()).map(str::to_owned);
    let metrics = given(text("/metricsBindAddress").or(flag("metrics-bind-address")));
    let kubeconfig = given(text("/clientConnection/kubeconfig").or(flag("kubeconfig")));
    let mut config = Map::new();
    config.insert("metricsBindAddress".to_owned(), metrics.unwrap_or(METRICS.to_owned()).into());
    if let Some(kubeconfig) = kubeconfig {
        config.insert("clientConnection".to_owned(), json!({"kubeconfig": kubeconfig}));
    }
    config
}

#[test]
fn a_file_silences_flags() {
    let flags = super::flags::parse(["--metrics-bind-address=0.0.0.0:10249"]);
    let address =
        |file: Option<Value>| effective(file.as_ref(), &flags)["metricsBindAddress"].clone();
    assert_eq!(address(None), "0.0.0.0:10249");
    assert_eq!(address(Some(json!({}))), METRICS);
    assert_eq!(address(Some(json!({"metricsBindAddress": ""}))), METRICS);
    assert_eq!(address(Some(json!({"metricsBindAddress": "[::]:1"}))), "[::]:1");
}

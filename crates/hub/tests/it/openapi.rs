//! The committed description of the API is the one the code makes.

use seawall_hub::Access;
use std::collections::BTreeSet;

/// `SEAWALL_BLESS=1 cargo test -p seawall-hub openapi` writes it anew.
#[test]
fn the_committed_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
    let current = serde_json::to_string_pretty(&seawall_hub::openapi()).unwrap() + "\n";
    if std::env::var_os("SEAWALL_BLESS").is_some() {
        std::fs::write(path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        committed == current,
        "openapi.json is stale: SEAWALL_BLESS=1 cargo test -p seawall-hub openapi"
    );
}

#[test]
fn every_operation_is_described_and_every_reference_leads_somewhere() {
    let document = seawall_hub::openapi();
    let mut operations = 0;
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            operations += 1;
            assert!(operation["summary"].is_string(), "{operation}");
            assert!(operation["responses"]["default"].is_object(), "{operation}");
        }
    }
    assert_eq!(operations, seawall_hub::endpoints().len());
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(document["components"]["schemas"][name].is_object(), "no schema {name}");
    }
}

#[test]
fn every_operation_has_an_id_and_all_its_parameters() {
    let document = seawall_hub::openapi();
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let place = format!("{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{place}: id twice");
            let empty = Vec::new();
            let parameters = operation["parameters"].as_array().unwrap_or(&empty);
            let named = |place: &str| -> BTreeSet<&str> {
                let there = parameters.iter().filter(|parameter| parameter["in"] == place);
                there.map(|parameter| parameter["name"].as_str().unwrap()).collect()
            };
            let braces = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap());
            assert_eq!(named("path"), braces.collect(), "{place}");
            if matches!(method.as_str(), "patch" | "put") && path.ends_with("{id}") {
                assert!(named("header").contains("If-Match"), "{place}");
            }
            let answer = &operation["responses"]["200"]["content"];
            let is_list = named("query").contains("after");
            for kind in ["text/csv", "application/x-ndjson"] {
                assert_eq!(answer[kind].is_object(), is_list, "{place}: {kind}");
            }
        }
    }
    let endpoints = seawall_hub::endpoints();
    for endpoint in endpoints {
        let operation = &document["paths"][&endpoint.path][endpoint.method.to_lowercase()];
        let is_public = endpoint.access == Access::Public;
        assert_eq!(operation["security"].is_null(), is_public, "{endpoint:?}");
        let text = operation["parameters"].to_string();
        let keyed = endpoint.method == "POST" && matches!(endpoint.access, Access::May(_));
        assert_eq!(text.contains("Idempotency-Key"), keyed, "{endpoint:?}");
    }
    let object = &document["components"]["schemas"]["AlertObject"];
    assert_eq!(object["oneOf"].as_array().unwrap().len(), 4, "{object}");
}

//! The committed description of the API is the one the code makes.

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

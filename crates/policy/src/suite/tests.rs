//! Which tests run. What becomes of them gator judges, see `tests/it/gator.rs`.
use super::*;
use regex::Regex;
use seawall_rego::Limits;
use serde_json::{Value, json};

fn files(path: &str) -> Result<Vec<Value>, String> {
    let code = match path {
        "cel" => {
            json!([{"engine": "K8sNativeValidation", "source": {"validations": [{"expression": "false"}]}}])
        }
        _ => {
            json!([{"engine": "Rego", "source": {"rego": "package k\nviolation[{\"msg\": \"m\"}] { true }"}}])
        }
    };
    Ok(vec![match path {
        "object" => json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}),
        "constraint" => {
            json!({"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "K", "metadata": {"name": "c"}})
        }
        _ => json!({
            "apiVersion": "templates.gatekeeper.sh/v1", "kind": "ConstraintTemplate", "metadata": {"name": "k"},
            "spec": {"crd": {"spec": {"names": {"kind": "K"}}},
                "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": code}]},
        }),
    }])
}

#[track_caller]
fn check(name: Option<&str>, engine: Option<&str>, expected: &[&str]) {
    let case = |name: &str| json!({"name": name, "object": "object", "assertions": [{"violations": "yes"}]});
    let test = |name: &str, template: &str| json!({"name": name, "template": template, "constraint": "constraint", "cases": [case("one"), case("two")]});
    let document = json!({"apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite",
        "tests": [test("old", "rego"), test("new", "cel")]});
    let suite = Suite::parse(&document).unwrap().unwrap();
    let filter = Filter {
        name: name.map(|name| Regex::new(name).unwrap()),
        engine: engine.map(str::to_owned),
    };
    let results = run(&suite, &files, &filter, 36, &Limits::default());
    assert!(results.iter().all(|result| result.verdict == Verdict::Passed), "{results:?}");
    let names: Vec<String> =
        results.iter().map(|result| format!("{} > {}", result.test, result.case)).collect();
    assert_eq!(names, expected, "{name:?} {engine:?}");
}

#[test]
fn filters() {
    check(None, None, &["old > one", "old > two", "new > one", "new > two"]);
    check(Some("^old$"), None, &["old > one", "old > two"]);
    check(Some("^two$"), None, &["old > two", "new > two"]);
    check(Some("new > one"), None, &["new > one"]);
    check(Some("nothing"), None, &[]);
    check(None, Some("cel"), &["new > one", "new > two"]);
    check(Some("one"), Some("rego"), &["old > one"]);
}

#[test]
fn what_is_no_suite() {
    assert!(Suite::parse(&json!({"apiVersion": "v1", "kind": "Suite"})).unwrap().is_none());
    let suite = |tests: Value| json!({"apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite", "tests": tests});
    assert_eq!(
        Suite::parse(&suite(json!([{"name": 3}]))).unwrap_err(),
        "tests[0].name is a string"
    );
    assert_eq!(Suite::parse(&suite(json!({}))).unwrap_err(), "tests.tests is a list");
}

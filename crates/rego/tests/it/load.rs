//! What does not load, with its place in the user's text.
use super::source;
use seawall_rego::{InventoryRead, Policy, Source, Version};

#[track_caller]
fn refused(version: Version, rego: &str, expected: &str) {
    refused_source(&source(version, rego), expected);
}

#[track_caller]
fn refused_source(source: &Source, expected: &str) {
    let told = match Policy::load(source) {
        Ok(_) => "loads".to_owned(),
        Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
    };
    assert_eq!(told, expected, "{}", source.rego);
}

const V0: Version = Version::V0;

#[test]
fn functions_that_are_not_there() {
    refused(
        V0,
        "violation[{\"msg\": \"m\"}] {\n  true\n  nowhere(1)\n}",
        "rego:5:3: undefined function `nowhere`",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { false; strings.nope(1) }"#,
        "rego:3:34: undefined function `strings.nope`",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { data.lib.x.f(1) }"#,
        "rego:3:27: undefined function `data.lib.x.f`",
    );
    let network = "is not available: policies reach no network";
    refused(
        V0,
        r#"violation[{"msg": "m"}] { http.send({}) }"#,
        &format!("rego:3:27: function `http.send` {network}"),
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { external_data({}) }"#,
        &format!("rego:3:27: function `external_data` {network}"),
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { startswith("a") }"#,
        "rego:3:27: `startswith` takes 2 arguments, here are 1",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { f(1, 2, 3) } f(x) = x"#,
        "rego:3:27: `f` takes 1 arguments, here are 3",
    );
    refused(
        Version::V1,
        r#"violation contains {"msg": "m"} if any([true])"#,
        "rego:3:36: function `any` is deprecated and none of v1",
    );
}

#[test]
fn replacements_of_nothing() {
    refused(
        V0,
        r#"violation[{"msg": "m"}] { r with nothing.a as 1 } r = 1"#,
        "rego:3:27: `with` replaces nothing by the name of `nothing.a`",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { r with data.lib.x as 1 } r = 1"#,
        "rego:3:27: `with` replaces nothing by the name of `data.lib.x`",
    );
}

#[test]
fn recursion() {
    refused(
        V0,
        "violation[{\"msg\": \"m\"}] { f(1) }\nf(x) { g(x) }\ng(x) { f(x) }",
        "rego:4:1: rule f is recursive: f -> g -> f",
    );
    refused(
        V0,
        "violation[{\"msg\": \"m\"}] { a }\na { b }\nb { not a }",
        "rego:4:1: rule a is recursive: a -> b -> a",
    );
    refused(
        V0,
        "violation[{\"msg\": \"m\"}] { violation[_] }",
        "rego:3:1: rule violation is recursive: violation -> violation",
    );
    let chain: String = (0..80).map(|at| format!("r{at} {{ r{} }}\n", at + 1)).collect();
    refused(
        V0,
        &format!("violation[{{\"msg\": \"m\"}}] {{ r0 }}\n{chain}r80 = 1"),
        "rego:4:1: over 64 rules need each other in a row",
    );
}

#[test]
fn variables_that_nothing_binds() {
    refused(V0, r#"violation[{"msg": m}] { true }"#, "rego:3:19: var m is unsafe");
    refused(
        V0,
        "violation[{\"msg\": \"m\"}] {\n  c := [n | n > 3]\n  count(c) > 0\n}",
        "rego:4:13: var n is unsafe",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { not input.review.xs[_] == 3 }"#,
        "rego:3:47: var _ is unsafe",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { not startswith(input.xs[_], "a") }"#,
        "rego:3:51: var _ is unsafe",
    );
    refused(V0, r#"violation[{"msg": "m"}] { x := 1; x := 2 }"#, "rego:3:35: var x declared above");
    refused(
        V0,
        r#"violation[{"msg": "m"}] { x > 1; x := 2 }"#,
        "rego:3:34: var x referenced above",
    );
}

#[test]
fn syntax() {
    refused(
        V0,
        "violation[{\"msg\": m}] {\n  m := \n}",
        "rego:5:1: unexpected `}`: a term expected",
    );
    refused(
        V0,
        r#"violation contains {"msg": "m"} if { true }"#,
        "rego:3:11: unexpected `contains`: a rule's value or body expected",
    );
    refused(
        Version::V1,
        r#"violation[{"msg": "m"}] { true }"#,
        "rego:3:1: a set is written with `contains`",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { x := [1, 2 }"#,
        "rego:3:38: unexpected `}`: `,` or `]` expected",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { true"#,
        "rego:3:31: unexpected end of text: a line break, `;` or `}` expected",
    );
    refused(V0, r#"violation[{"msg": "m"}] { "a }"#, "rego:3:27: string is not closed");
}

#[test]
fn gatekeepers_demands() {
    refused(V0, "allow = true", "rego:1:1: missing required rule: violation");
    refused(
        V0,
        r#"violation[{"details": 1}] { true }"#,
        "rego:1:1: no element of `violation` has `msg`",
    );
    refused(
        V0,
        r#"violation["m"] { true }"#,
        "rego:3:1: `violation` is a set of objects with `msg`",
    );
    refused(
        V0,
        "import input.review\nviolation[{\"msg\": \"m\"}] { true }",
        "rego:3:1: bad import: input.review",
    );
    refused(
        V0,
        "import data.inventory\nviolation[{\"msg\": \"m\"}] { true }",
        "rego:3:1: bad import: data.inventory",
    );
    refused(
        V0,
        r#"violation[{"msg": "m"}] { data.other.x }"#,
        "rego:3:27: disallowed ref data.other",
    );
    let libs = vec!["package other\n\ny = 1\n".to_owned()];
    let source = Source { libs, ..source(V0, r#"violation[{"msg": "m"}] { true }"#) };
    refused_source(&source, "libs[0]:1:9: package other is not below `lib`");
}

#[test]
fn problems_of_libraries_have_their_place() {
    let libs = vec![
        "package lib.a\n\nf(x) = x\n".to_owned(),
        "package lib.b\n\ng(x) = y {\n  y := h(x)\n}\n".to_owned(),
    ];
    let source =
        Source { libs, ..source(V0, "import data.lib.b\nviolation[{\"msg\": m}] { m := b.g(1) }") };
    refused_source(&source, "libs[1]:4:8: undefined function `h`");
}

#[test]
fn what_of_the_inventory_is_read() {
    let check = |rego: &str, expected: &[(Option<bool>, Option<&str>, Option<&str>)]| {
        let policy = super::load(V0, &format!("violation[{{\"msg\": \"m\"}}] {{ {rego} }}"));
        let expected: Vec<_> = expected
            .iter()
            .map(|(cluster, group_version, kind)| InventoryRead {
                cluster: *cluster,
                group_version: group_version.map(str::to_owned),
                kind: kind.map(str::to_owned),
            })
            .collect();
        assert_eq!(policy.reads().iter().cloned().collect::<Vec<_>>(), expected, "{rego}");
    };
    check("true", &[]);
    check(
        r#"data.inventory.cluster["v1"].Namespace[_]"#,
        &[(Some(true), Some("v1"), Some("Namespace"))],
    );
    check(
        r#"data.inventory.namespace[_][gv]["Ingress"][_]; gv != "x""#,
        &[(Some(false), None, Some("Ingress"))],
    );
    check("data.inventory.namespace.shop[_][input.kind]", &[(Some(false), None, None)]);
    check("x := data.inventory; x.cluster", &[(None, None, None)]);
    check(
        r#"count({n | data.inventory.cluster.v1.Node[n]}) > 1; not data.inventory.namespace.a.v1.Pod.b"#,
        &[(Some(false), Some("v1"), Some("Pod")), (Some(true), Some("v1"), Some("Node"))],
    );
}

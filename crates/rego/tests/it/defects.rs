//! What the interpreter does otherwise than OPA, one test each: first that it still does, so that an upgrade which
//! changes it is noticed and its handling can go, then that a policy of ours gets OPA's answer.
use super::{check, check_version, load};
use regorus::{Engine, Value};
use seawall_rego::{Limits, Version};

/// `data.t.x` of a module of v1 by the bare interpreter; the error's first words where it has none.
fn bare(rego: &str) -> String {
    bare_of(rego, false)
}

fn bare_of(rego: &str, v0: bool) -> String {
    let mut engine = Engine::new();
    engine.set_rego_v0(v0);
    engine.set_strict_builtin_errors(false);
    let added = engine.add_policy("t.rego".to_owned(), format!("package t\n{rego}"));
    let result = added.and_then(|_| {
        engine.set_input(Value::from_json_str(r#"{"a": "x", "xs": [1, 2, 3]}"#)?);
        engine.eval_rule("data.t.x".to_owned())
    });
    match result {
        Ok(Value::Undefined) => "undefined".to_owned(),
        Ok(value) => value.to_string(),
        Err(error) => {
            let shown = error.to_string();
            let said = shown
                .lines()
                .find_map(|line| line.trim().strip_prefix("error: ").map(str::to_owned));
            format!("error: {}", said.unwrap_or(shown))
        }
    }
}

#[track_caller]
fn still(rego: &str, wrong: &str) {
    assert_eq!(bare(rego), wrong, "the interpreter has changed: {rego}");
}

#[track_caller]
fn still_fails(rego: &str, word: &str) {
    let told = bare(rego);
    assert!(
        told.starts_with("error: ") && told.contains(word),
        "the interpreter has changed: {rego}\n{told}"
    );
}

#[test]
fn negated_calls_with_undefined_operands() {
    still(r#"x if { not startswith(input.gone, "a") }"#, "true");
    still("x if { not input.gone > 3 }", "true");
    check(r#"violation[{"msg": "x"}] { not startswith(input.review.gone, "a") }"#, &[]);
    check(r#"violation[{"msg": "x"}] { not input.review.gone > 3 }"#, &[]);
    check(r#"violation[{"msg": "x"}] { not input.review.gone == 3 }"#, &["x"]);
    check(r#"violation[{"msg": "x"}] { not input.review.gone = 3 }"#, &["x"]);
    check(r#"violation[{"msg": "x"}] { not input.review.gone }"#, &["x"]);
    check(r#"violation[{"msg": "x"}] { not count(input.review.gone) == 1 }"#, &[]);
    check(r#"violation[{"msg": "x"}] { not f(r) } r { input.gone } f(x) { x }"#, &[]);
    check(
        r#"violation[{"msg": m}] { xs := [c.name | c := input.review.object.spec.containers[_]; not c.gone > 1]; m := sprintf("%v", [xs]) }"#,
        &["[]"],
    );
}

#[test]
fn sprintf_with_gos_verbs() {
    still(r#"x := sprintf("%+d", [5])"#, "undefined");
    still(r#"x := sprintf("%-5s|", ["a"])"#, r#""5s|""#);
    still(r#"x := sprintf("%o", [384])"#, r#""0O600""#);
    check(
        r#"violation[{"msg": m}] { m := sprintf("%04o %o %+v %+d %-5s| %q", [420, 384, 5, 5, "a", "b"]) }"#,
        &["0644 600 5 +5 a    | \"b\""],
    );
    check(r#"violation[{"msg": m}] { m := sprintf("%d %s", [1]) }"#, &["1 %!s(MISSING)"]);
}

#[test]
fn line_break_before_a_bracket() {
    still(
        "y := 1\nx if {\n z := y\n (z == 1)\n}",
        "error: var z is unsafe (path [\"t\", \"z\"], scopes [{}])",
    );
    check(
        "violation[{\"msg\": m}] {\n  m := input.review.object.metadata.name\n  (m == \"web\")\n}",
        &["web"],
    );
}

#[test]
fn chained_bodies() {
    assert!(
        bare_of("x[y] { y := 1 } { y := 2 }", true).starts_with("error: "),
        "chained bodies are read now"
    );
    check(r#"violation[{"msg": m}] { m := "one" } { m := "two" }"#, &["one", "two"]);
}

#[test]
fn facts_without_bodies() {
    // Read rightly by now; ours come to it with a body all the same.
    still("import rego.v1\nx contains \"a\"", r#"["a"]"#);
    check_version(
        Version::V1,
        "names contains \"a\"\nviolation contains {\"msg\": m} if some m in names",
        &["a"],
    );
    check("names[\"a\"]\nviolation[{\"msg\": m}] { names[m] }", &["a"]);
}

#[test]
fn large_regular_expressions() {
    still_fails(r#"x := regex.match(`^\pL{1,63}$`, input.a)"#, "regex");
    check(
        r#"violation[{"msg": "x"}] { re_match(`^\pL{1,63}$`, input.review.object.metadata.name) }"#,
        &["x"],
    );
    let policy = load(
        Version::V0,
        r#"violation[{"msg": "x"}] { not re_match(`^[\pL\pN]{1,900}([\pL]{1,900}){1,9}$`, "x") }"#,
    );
    let told = super::evaluate(&policy, &Limits::default()).unwrap_err();
    assert_eq!(told.to_string(), "a regular expression over 10 MiB");
}

/// `\d` is of ASCII in Go, and `(?x)` is nothing there.
#[test]
fn regular_expressions_of_go() {
    still(r#"x := regex.match(`^\d$`, "٣")"#, "true");
    check(r#"violation[{"msg": "x"}] { regex.match(`^\d$`, "٣") }"#, &[]);
    check(r#"violation[{"msg": "x"}] { not regex.is_valid("(?x)a") }"#, &["x"]);
}

#[test]
fn base64_with_line_breaks() {
    still(r#"x := base64.decode("aGVs\nbG8=")"#, "undefined");
    check(r#"violation[{"msg": m}] { m := base64.decode("aGVs\nbG8=") }"#, &["hello"]);
}

#[test]
fn missing_functions() {
    for call in [
        "any([true])",
        "all([true])",
        r#"re_match("a", "a")"#,
        r#"regex.globs_match("a", "a")"#,
        r#"net.cidr_intersects("10.0.0.0/8", "10.0.0.0/8")"#,
        r#"crypto.sha256("a")"#,
        r#"io.jwt.decode("a.b.c")"#,
    ] {
        still_fails(&format!("x := {call}"), "could not find function");
    }
    check(
        r#"violation[{"msg": m}] {
            any([false, true]); all([true]); not any([]); re_match("^a", "ab")
            regex.globs_match("a.[bc]+", "a.b"); not regex.globs_match("x*", "y*")
            net.cidr_contains("10.0.0.0/8", "10.1.2.3"); net.cidr_intersects("10.0.0.0/8", "10.1.0.0/16")
            count(net.cidr_expand("10.0.0.0/30")) == 4
            net.cidr_merge(["10.0.0.0/25", "10.0.0.128/25"]) == {"10.0.0.0/24"}
            crypto.md5("a") == "0cc175b9c0f1b6a831c399e269772661"
            crypto.sha1("a") == "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"
            startswith(crypto.sha256("a"), "ca978112"); startswith(crypto.hmac.sha256("a", "k"), "78da9151")
            [_, payload, _] := io.jwt.decode("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln")
            m := payload.sub
        }"#,
        &["x"],
    );
}

#[test]
fn arithmetic_without_an_answer() {
    still_fails("x := 5 % 2.5", "modulo on floating-point");
    check(
        "violation[{\"msg\": \"x\"}] { 5 % 2.5 == 0 } violation[{\"msg\": \"b\"}] { not 1 / 0 == 1 } violation[{\"msg\": \"o\"}] { 7 % 4 == 3; 7 / 2 == 3.5 }",
        &["o"],
    );
}

#[test]
fn a_variable_before_its_generator() {
    // It orders these itself by now; ours come to it in order, whatever a later one does.
    still("x := [y | y > 1; y = input.xs[_]]", "[2,3]");
    check(
        r#"violation[{"msg": m}] { xs := [y | y > 1; y = [1, 2, 3][_]]; m := sprintf("%v", [xs]) }"#,
        &["[2, 3]"],
    );
    check(
        r#"violation[{"msg": m}] { n > 4; m = c.name; n = c.n; c = input.review.object.spec.containers[_] }"#,
        &["b"],
    );
}

#[test]
fn errors_of_functions_are_undefined() {
    let mut engine = Engine::new();
    engine
        .add_policy("t.rego".to_owned(), "package t\nx if { to_number(\"a\") }".to_owned())
        .unwrap();
    engine.set_input(Value::new_object());
    assert!(
        engine.eval_rule("data.t.x".to_owned()).is_err(),
        "errors are not strict by default any more"
    );
    check(r#"violation[{"msg": "x"}] { to_number("a") } violation[{"msg": "o"}] { true }"#, &["o"]);
}

#[test]
fn walking() {
    still("x if { [p, v] := walk(input); v == 3 }", "undefined");
    check(
        r#"violation[{"msg": m}] { [path, value] := walk(input.review.object); value == "deep"; m := concat(".", path) }"#,
        &["data.k"],
    );
    check(
        r#"violation[{"msg": m}] { walk(input.review.object, [path, "deep"]); m := concat(".", path) }"#,
        &["data.k"],
    );
}

/// Its parser reads nested brackets twice at each level; ours stops at eight.
#[test]
fn nested_literals() {
    let nested = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    check(&format!("violation[{{\"msg\": \"x\"}}] {{ {} }}", nested(8)), &["x"]);
    let source =
        super::source(Version::V0, &format!("violation[{{\"msg\": \"x\"}}] {{ {} }}", nested(30)));
    let told = seawall_rego::Policy::load(&source).unwrap_err();
    assert_eq!(told[0].to_string(), "rego:3:27: collections nested over 8 levels deep");
}

//! What does not compile, in cel-go's words.
use seawall_cel::{Env, Type, display};

#[track_caller]
fn check(text: &str, expected: &str) {
    let env = Env::kubernetes(36).with_variable("object", Type::Dyn);
    let errors = env.compile(text).expect_err(text);
    let told: Vec<String> =
        errors.iter().map(|e| format!("{}:{}: {}", e.line, e.column, e.message)).collect();
    assert_eq!(told.join("; "), expected, "{text}");
}

#[test]
fn types() {
    check("gone == 1", "1:1: undeclared reference to 'gone' (in container '')");
    check("1 + 'a'", "1:3: found no matching overload for '_+_' applied to '(int, string)'");
    check("gone(1)", "1:5: undeclared reference to 'gone' (in container '')");
    check(
        "'a'.startsWith(1)",
        "1:15: found no matching overload for 'startsWith' applied to 'string.(int)'",
    );
    check("1 && true", "1:1: expected type 'bool' but found 'int'");
    check("[1, 'a']", "1:5: expected type 'int' but found 'string'");
    check("[1, dyn('a')]", "1:8: expected type 'int' but found 'dyn'");
    check("{'a': 1, 'b': true}", "1:15: expected type 'int' but found 'bool'");
    check("1.foo", "1:2: type 'int' does not support field selection");
    check("[1].all(x, x)", "1:12: expected type 'bool' but found 'int'");
    check(
        "1.all(x, true)",
        "1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)",
    );
    check("duration('1y')", "1:10: invalid duration argument");
    check("'a'.matches('(')", "1:13: invalid matches argument");
    check("int('x')", "1:4: type conversion error from 'string' to 'int'");
    check("Object{a: 1}", "1:7: undeclared reference to 'Object' (in container '')");
}

#[test]
fn syntax() {
    check(
        "1 +",
        "1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
    );
    check("1 2", "1:3: Syntax error: extraneous input '2' expecting <EOF>");
    check("a # b", "1:3: Syntax error: token recognition error at: '#'");
    check("for == 1", "1:1: reserved identifier: for");
    check("has(object)", "1:5: invalid argument to has() macro");
    check("[1].all(1, true)", "1:9: argument must be a simple name");
    check("99999999999999999999", "1:1: invalid int literal");
    check(&"(".repeat(101), "1:102: expression nests over 100 brackets");
    check(&format!("1{}", "+1".repeat(600)), "1:1024: expression is over 512 levels deep");
}

#[test]
fn pointer() {
    let text = "object.a ==\n\tgone";
    let errors = Env::kubernetes(36).compile(text).expect_err(text);
    assert_eq!(
        display(text, &errors),
        "ERROR: <input>:1:1: undeclared reference to 'object' (in container '')\n | object.a ==\n | ^\n\
         ERROR: <input>:2:2: undeclared reference to 'gone' (in container '')\n |  gone\n | .^"
    );
}

//! No text overflows a stack of 2 MiB, which is what threads and tests have.
use crate::run;

#[track_caller]
fn check(text: &str, expected: &str) {
    let told = run(text).0;
    assert!(told.contains(expected), "{}…: {told:.200}", &text[..text.len().min(60)]);
}

#[test]
fn deep_texts_run_or_are_refused() {
    let within = |open: &str, inner: &str, close: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    check(&format!("1{}", "+1".repeat(510)), "511");
    check(&format!("1{}", "+1".repeat(600)), "512 levels");
    check(&within("(", "1", ")", 100), "1");
    check(&within("(", "1", ")", 101), "100 brackets");
    check(&within("[", "1", "]", 100), "[[");
    check(&within("{'a': ", "1", "}", 100), "{a: {a");
    check(&within("size([", "1", "])", 50), "1");
    check(&within("[1].all(x, ", "true", ")", 100), "true");
    check(&within("[1].map(x, ", "x", ")", 100), "[[");
    check(&within("optional.of(1).optMap(x, ", "x", ")", 90), "optional");
    check(&format!("object{}", ".a".repeat(500)), "no such key: a");
    check(&format!("object{}", ".a".repeat(600)), "512 levels");
    check(&format!("object{}.hasValue()", ".?a".repeat(500)), "false");
    check(&format!("{}1", "true ? 1 : ".repeat(510)), "1");
    check(&format!("{}true", "!".repeat(5000)), "true");
    check(&format!("{}1", "- ".repeat(5000)), "1");
    check(&format!("true{}", " && true".repeat(3000)), "true");
    check(&format!("'a'{}", ".trim()".repeat(500)), "a");
    check(&within("type(", "1", ")", 100), "type");
}

#[test]
fn what_doubles_stays_small() {
    // Types, lists and texts that double with every step.
    let mut text = "[1]".to_owned();
    for step in 0..60 {
        text = format!("{text}.map(x{step}, {{'a': x{step}, 'b': x{step}}})");
    }
    check(&text, "…");
    check(&format!("{text} == {text}"), "stopped");
    check(&format!("'%s'.format([{text}])"), "stopped");
    check(&format!("sets.contains({text}, {text})"), "stopped");
    check(&format!("{text}.size() == 1"), "true");
    let mut text = "[[1]]".to_owned();
    for step in 0..60 {
        text = format!("{text}.map(x{step}, x{step} + x{step})");
    }
    check(&text, "stopped");
}

//! Mistakes in a JSON body in JSON's words: serde names Rust's types, which callers do not know.

/// What the text begins, where that is a value but no object.
pub(super) fn not_an_object(json: &[u8]) -> Option<&'static str> {
    match json.trim_ascii_start().first()? {
        b'[' => Some("an array"),
        b'"' => Some("a string"),
        b't' | b'f' => Some("a boolean"),
        b'n' => Some("null"),
        b'-' | b'0'..=b'9' => Some("a number"),
        _ => None,
    }
}

/// `invalid type: FOUND, expected EXPECTED at line 1 column 2`, both in JSON's words; other mistakes stay as they are.
pub(super) fn of_serde(mistake: &str) -> String {
    let Some((found, expected)) = mistake.split_once(", expected ") else {
        return mistake.to_owned();
    };
    let (expected, place) =
        expected.split_at(expected.rfind(" at line ").unwrap_or(expected.len()));
    for kind in ["invalid type: ", "invalid value: "] {
        if let Some(found) = found.strip_prefix(kind) {
            return format!(
                "is {}, expected {}{place}",
                self::found(found),
                self::expected(expected)
            );
        }
    }
    format!("{found}, expected {}{place}", self::expected(expected))
}

fn found(words: &str) -> String {
    match words {
        "map" => "an object".to_owned(),
        "sequence" => "an array".to_owned(),
        "unit value" => "null".to_owned(),
        _ => {
            let numbers = ["integer ", "floating point "];
            let number = numbers.iter().find_map(|kind| words.strip_prefix(kind));
            let plain = number.or_else(|| words.strip_prefix("boolean "));
            plain.unwrap_or(words).trim_matches('`').to_owned()
        }
    }
}

fn expected(words: &str) -> &str {
    let first = words.split(' ').next().unwrap_or_default();
    match first {
        "struct" | "map" | "internally" | "adjacently" => "an object",
        "enum" | "variant" | "string" => "a string",
        "sequence" | "tuple" => "an array",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "a whole number of at least 0",
        "f32" | "f64" => "a number",
        "unit" => "null",
        _ => match words {
            "a map" => "an object",
            "a sequence" => "an array",
            _ => words,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only the mistakes are looked at")]
    struct Inner {
        text: String,
    }

    #[derive(Debug, Deserialize)]
    enum Word {
        Some,
    }

    #[track_caller]
    fn check<T: serde::de::DeserializeOwned + std::fmt::Debug>(json: &str, expected: &str) {
        let error = serde_json::from_str::<T>(json).unwrap_err().to_string();
        let words = of_serde(&error);
        assert!(words.starts_with(expected), "{words}");
        for rust in ["struct", "enum", "Inner", "Word", "u32", "i64", "map", "sequence"] {
            assert!(!words.contains(rust), "{words}");
        }
    }

    #[test]
    fn serdes_types_become_jsons() {
        check::<Inner>("1", "is 1, expected an object at line 1");
        check::<Inner>(r#"{"text":[]}"#, "is an array, expected a string at line 1");
        check::<Inner>(r#"{"text":{}}"#, "is an object, expected a string");
        check::<Inner>("{}", "missing field `text`");
        check::<u32>("-1", "is -1, expected a whole number of at least 0");
        check::<u32>("\"x\"", "is string \"x\", expected a whole number");
        check::<i64>("1.5", "is 1.5, expected a whole number");
        check::<f64>("true", "is true, expected a number");
        check::<bool>("null", "is null, expected a boolean");
        check::<Vec<String>>("{}", "is an object, expected an array");
        check::<BTreeMap<String, String>>("[]", "is an array, expected an object");
        check::<Word>("\"none\"", "unknown variant `none`, expected `Some`");
        check::<Word>("1", "");
    }

    #[test]
    fn only_objects_are_bodies() {
        for (json, expected) in [
            (" [1]", Some("an array")),
            ("null", Some("null")),
            ("\"{\"", Some("a string")),
            ("-1", Some("a number")),
            ("true", Some("a boolean")),
            ("\n{", None),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(not_an_object(json.as_bytes()), expected, "{json}");
        }
    }
}

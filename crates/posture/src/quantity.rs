//! Kubernetes quantities: `500m`, `1Gi`, `2`, `1e3`.
use serde_json::Value;

/// The amount as a number, or `None` where it is none. Good for comparing: exact to 53 bits.
/// Source: apimachinery `pkg/api/resource`, "Quantity" grammar.
pub(crate) fn amount(value: &Value) -> Option<f64> {
    let text = match value {
        Value::Number(number) => return number.as_f64(),
        Value::String(text) => text.as_str(),
        _ => return None,
    };
    let digits =
        text.find(|c: char| !matches!(c, '0'..='9' | '.' | '+' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at(digits);
    let scale = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent if exponent.starts_with(['e', 'E']) => 10f64.powi(exponent[1..].parse().ok()?),
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * scale)
}

#[test]
fn table() {
    #[track_caller]
    fn check(value: Value, expected: Option<f64>) {
        assert_eq!(amount(&value), expected, "{value}");
    }
    check("500m".into(), Some(0.5));
    check("0.5".into(), Some(0.5));
    check("1Gi".into(), Some(1_073_741_824.0));
    check("2".into(), Some(2.0));
    check(2.into(), Some(2.0));
    check("1e3".into(), Some(1000.0));
    check("1E".into(), Some(1e18));
    check("12 apples".into(), None);
    check("".into(), None);
    check(Value::Null, None);
}

use super::*;

/// Answers of k8s.io/apimachinery 0.36: text, `add(0)` written out, `asInteger`, `asApproximateFloat`, sign, `add(1)`.
type Row = (&'static str, &'static str, Option<i64>, f64, i64, &'static str);

const ROWS: &[Row] = &[
    ("0", "0", Some(0), 0.0, 0, "1"),
    ("-", "0", Some(0), 0.0, 0, "1"),
    ("+", "0", Some(0), 0.0, 0, "1"),
    (".", "0", Some(0), 0.0, 0, "1"),
    ("Mi", "0", Some(0), 0.0, 0, "1"),
    ("e5", "0", Some(0), 0.0, 0, "1"),
    ("5.", "5", Some(5), 5.0, 1, "6"),
    (".5", "500m", None, 0.5, 1, "1500m"),
    ("+5", "5", Some(5), 5.0, 1, "6"),
    ("-5", "-5", Some(-5), -5.0, -1, "-4"),
    ("007", "7", Some(7), 7.0, 1, "8"),
    ("1.5G", "1500M", Some(1500000000), 1.5e+09, 1, "1500000001"),
    ("1500M", "1500M", Some(1500000000), 1.5e+09, 1, "1500000001"),
    ("1Ki", "1Ki", Some(1024), 1024.0, 1, "1025"),
    ("1.5Ki", "1536", None, 1536.0, 1, "1537"),
    ("0.5Ki", "512", None, 512.0, 1, "513"),
    ("0.0001Ki", "102400u", None, 0.1024, 1, "1102400u"),
    ("1Ti", "1Ti", Some(1099511627776), 1.099511627776e+12, 1, "1099511627777"),
    ("1Pi", "1Pi", None, 1.125899906842624e+15, 1, "1125899906842625"),
    ("1Ei", "1Ei", None, 1.152921504606847e+18, 1, "1152921504606846977"),
    ("8Ei", "9223372036854775807", None, 9.223372036854776e+18, 1, "8Ei"),
    ("-8Ei", "-9223372036854775807", None, -9.223372036854776e+18, -1, "-9223372036854775806"),
    ("-1.5Ki", "-1536", None, -1536.0, -1, "-1535"),
    (
        "9223372036854775807",
        "9223372036854775807",
        None,
        9.223372036854776e+18,
        1,
        "9223372036854775808",
    ),
    (
        "9223372036854775808",
        "9223372036854775808",
        None,
        9.223372036854776e+18,
        1,
        "9223372036854775809",
    ),
    (
        "-9223372036854775808",
        "-9223372036854775808",
        None,
        -9.223372036854776e+18,
        -1,
        "-9223372036854775807",
    ),
    (
        "123456789012345678",
        "123456789012345678",
        Some(123456789012345678),
        1.2345678901234568e+17,
        1,
        "123456789012345679",
    ),
    (
        "1234567890123456789",
        "1234567890123456789",
        None,
        1.234567890123457e+18,
        1,
        "1234567890123456790",
    ),
    ("0.1", "100m", None, 0.1, 1, "1100m"),
    ("100m", "100m", None, 0.1, 1, "1100m"),
    ("0.0000000001", "1n", None, 1e-09, 1, "1000000001n"),
    ("-0.0000000001", "-1n", None, -1e-09, -1, "999999999n"),
    ("1n", "1n", None, 1e-09, 1, "1000000001n"),
    ("1u", "1u", None, 1e-06, 1, "1000001u"),
    ("0.5n", "1n", None, 1e-09, 1, "1000000001n"),
    ("1e3", "1e3", Some(1000), 1000.0, 1, "1001"),
    ("1E3", "1e3", Some(1000), 1000.0, 1, "1001"),
    ("1e-3", "1e-3", None, 0.001, 1, "1001e-3"),
    ("1E", "1E", Some(1000000000000000000), 1e+18, 1, "1000000000000000001"),
    ("1e18", "1e18", Some(1000000000000000000), 1e+18, 1, "1000000000000000001"),
    ("1e19", "10e18", None, 1e+19, 1, "10000000000000000001"),
    ("1e1000", "10e999", None, f64::INFINITY, 1, "long"),
    ("1e-1000", "1e-9", None, 1e-09, 1, "1000000001e-9"),
    ("0e1000", "0", Some(0), f64::NAN, 0, "1"),
    ("1.123456789", "1123456789n", None, 1.123456789, 1, "2123456789n"),
    ("1.1234567891", "1123456790n", None, 1.12345679, 1, "2123456790n"),
    ("12.5Mi", "12800Ki", None, 1.31072e+07, 1, "13107201"),
    ("1024Ki", "1Mi", Some(1048576), 1.048576e+06, 1, "1048577"),
    ("1000k", "1M", Some(1000000), 1e+06, 1, "1000001"),
    ("1000E", "1", None, 1e+21, 1, "1000000000000000000001"),
    ("100000E", "100", None, 1e+23, 1, "100000000000000000000001"),
    ("3.0", "3", None, 3.0, 1, "4"),
    ("1e4294967296", "1", Some(1), 1.0, 1, "2"),
    ("2147483648Gi", "2Ei", None, 2.305843009213694e+18, 1, "2305843009213693953"),
    ("999999999999999999", "999999999999999999", Some(999999999999999999), 1e+18, 1, "1E"),
    ("1000000000000000000", "1E", None, 1.0000000000000001e+18, 1, "1000000000000000001"),
    ("1.0Ki", "1Ki", None, 1024.0, 1, "1025"),
    ("1.00Mi", "1Mi", None, 1.048576e+06, 1, "1048577"),
    ("-0", "0", Some(0), 0.0, 0, "1"),
    ("1023", "1023", Some(1023), 1023.0, 1, "1024"),
    ("1025Mi", "1025Mi", Some(1074790400), 1.0747904e+09, 1, "1074790401"),
    ("0.1Gi", "107374182400m", None, 1.073741824e+08, 1, "107374183400m"),
    (
        "3.3333333Gi",
        "3579139377541939200n",
        None,
        3.5791393775419393e+09,
        1,
        "3579139378541939200n",
    ),
];

#[test]
fn amounts_are_those_of_the_api_server() {
    for (text, canonical, integer, float, sign, plus_one) in ROWS {
        let quantity = Quantity::parse(text).unwrap();
        assert_eq!(quantity.canonical(), *canonical, "{text}");
        assert_eq!(quantity.as_integer(), *integer, "{text}");
        assert_eq!(quantity.as_approximate_float().to_string(), float.to_string(), "{text}");
        assert_eq!(quantity.sign(), *sign, "{text}");
        let sum = quantity.add(&Quantity::from_integer(1)).unwrap();
        if *plus_one != "long" {
            assert_eq!(sum.canonical(), *plus_one, "{text}");
        }
        let back = sum.sub(&Quantity::from_integer(1)).unwrap();
        assert_eq!(back.compare(&quantity), Ordering::Equal, "{text}");
    }
}

#[test]
fn errors_are_those_of_the_api_server() {
    for text in ["", "Three", "1,3G", "1 ", "1.2.3", "1_000", "é"] {
        assert_eq!(Quantity::parse(text).unwrap_err(), WRONG_FORMAT, "{text}");
    }
    for text in ["200K", "1Ki5", "1e", "1e-", "1ee5", "--1", "1e99999999999999999999"] {
        assert_eq!(Quantity::parse(text).unwrap_err(), WRONG_SUFFIX, "{text}");
    }
}

#[test]
fn comparison_is_by_value() {
    let order = |a, b| Quantity::parse(a).unwrap().compare(&Quantity::parse(b).unwrap());
    for (a, b, expected) in [
        ("200M", "0.2G", Ordering::Equal),
        ("1Ki", "1024", Ordering::Equal),
        ("50M", "50Mi", Ordering::Less),
        ("-1", "1m", Ordering::Less),
        ("-50Mi", "-50M", Ordering::Less),
        ("9223372036854775808", "9223372036854775807", Ordering::Greater),
        ("1e999999999", "1e1000000000", Ordering::Less),
        ("-1e1000000000", "-1", Ordering::Less),
        ("0", "1e-999999999", Ordering::Less),
    ] {
        assert_eq!(order(a, b), expected, "{a} {b}");
        assert_eq!(order(b, a), expected.reverse(), "{b} {a}");
    }
}

/// The API server would write out a thousand million zeros.
#[test]
fn huge_numbers_are_refused_where_digits_are_needed() {
    let huge = Quantity::parse("1e1000000000").unwrap();
    assert_eq!(huge.add(&Quantity::from_integer(1)).unwrap_err(), TOO_LONG);
    assert_eq!(Quantity::parse(&"9".repeat(5000)).unwrap_err(), TOO_LONG);
    assert_eq!(Quantity::parse("1234567890123456789e1000000000").unwrap_err(), TOO_LONG);
    assert!(!huge.is_integer());
}

//! One text given to every parser among Kubernetes' functions of CEL. What `isX` says is what `x` does, and parsed
//! values keep their laws.
use super::texts;
use crate::Target;
use seawall_cel::{Budget, Env, EvalError, Program, Type, Value};
use std::sync::LazyLock;

pub(crate) const TARGET: Target = Target { name: "cel-function", run, seeds, rounds: 1000 };

/// Predicates and the expressions that succeed where they hold.
const PARSERS: &[(&str, &str)] = &[
    ("isQuantity(text)", "quantity(text)"),
    ("isIP(text)", "ip(text)"),
    ("isCIDR(text)", "cidr(text)"),
    ("isSemver(text)", "semver(text)"),
    ("isSemver(text, true)", "semver(text, true)"),
];

/// True wherever they have a value.
const LAWS: &[&str] = &[
    // Not the other way round: only `url` reads fragments, and an authority without a scheme.
    "isURL(text) || url(text) != url(text)",
    "quantity(text).compareTo(quantity(text)) == 0 && quantity(text) == quantity(text)",
    "quantity(text).sub(quantity(text)).compareTo(quantity('0')) == 0",
    "quantity(text).add(1).isGreaterThan(quantity(text))",
    "!quantity(text).isInteger() || quantity(text).compareTo(quantity('0').add(quantity(text).asInteger())) == 0",
    "ip(text) == ip(string(ip(text))) && ip.isCanonical(string(ip(text)))",
    "cidr(text).masked() == cidr(text).masked().masked() && cidr(text).containsCIDR(cidr(text).masked())",
    "cidr(text).containsIP(cidr(text).ip()) && cidr(string(cidr(text))) == cidr(text)",
    "semver(text).compareTo(semver(text)) == 0 && !semver(text).isLessThan(semver(text))",
    "url(text) == url(text) && url(text).getHost().startsWith(url(text).getHostname()) || url(text).getHost().contains('[')",
    "text.split('').join('') == text && text.split(',').join(',') == text",
    "text.substring(0) == text && text.replace('', '') == text && text.lowerAscii().upperAscii() == text.upperAscii()",
    "text == '' || text.charAt(0) + text.substring(1) == text",
    "text.indexOf(text) == 0 && text.lastIndexOf(text) == (text == '' ? 0 : 0)",
    "['dns1123Label', 'dns1123Subdomain', 'qualifiedName', 'labelValue', 'uri', 'uuid', 'byte', 'date', 'datetime']\
     .all(f, format.named(f).value().validate(text).orValue(['x']).size() > 0)",
    "!format.dns1123Label().validate(text).hasValue() ? !format.dns1123Subdomain().validate(text).hasValue() : true",
    "text.format([text, 1, 1.5, true]) == text.format([text, 1, 1.5, true])",
    "strings.quote(text).size() >= text.size() + 2",
];

struct Programs {
    parsers: Vec<(Program, Program)>,
    laws: Vec<Program>,
}

static PROGRAMS: LazyLock<Programs> = LazyLock::new(|| {
    let env = Env::kubernetes(36).with_variable("text", Type::String);
    let compile = |text: &str| env.compile(text).expect("a constant expression");
    Programs {
        parsers: PARSERS.iter().map(|(is, parse)| (compile(is), compile(parse))).collect(),
        laws: LAWS.iter().map(|law| compile(law)).collect(),
    }
});

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let variables = [("text", Value::string(&*text))];
    let value = |program: &Program| program.evaluate(&variables, &mut Budget::expression());
    for (is, parse) in &PROGRAMS.parsers {
        let (is, parsed) = (value(is), value(parse));
        let stopped = |value: &Result<Value<'_>, EvalError>| matches!(value, Err(EvalError::Limit));
        if !stopped(&is) && !stopped(&parsed) {
            assert_eq!(is.ok().and_then(|is| is.as_bool()), Some(parsed.is_ok()), "{text:?}");
        }
    }
    for law in &PROGRAMS.laws {
        if let Ok(holds) = value(law) {
            assert_eq!(holds.as_bool(), Some(true), "{} of {text:?}", law.text());
        }
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        "1.5Gi",
        "-100m",
        "12e6",
        "9223372036854775808Ki",
        "https://user:pw@[fe80::1%25eth0]:8080/a%2Fb?q=1&r=%20#f",
        "/path?query",
        "192.168.0.1",
        "2001:db8::ff00:42:8329",
        "::ffff:1.2.3.4",
        "10.1.2.3/8",
        "2001:db8::/32",
        "1.2.3-alpha.1+build.5",
        "v1.02",
        "example.com/My_name.1",
        "123e4567-e89b-12d3-a456-426614174000",
        "2024-02-29T23:59:59.5Z",
        "aGVsbG8=",
        "%s is %d, %.3f %e %x%%",
        "a,b,\u{e9}\u{1f600},",
    ])
}

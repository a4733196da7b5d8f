//! What expressions give.
use crate::check;

#[test]
fn arithmetic_and_order() {
    check("1 + 2 * 3 - 4 / 2 % 3", "5");
    check("-9223372036854775808", "-9223372036854775808");
    check("9223372036854775807 + 1", "error: integer overflow");
    check("1u - 2u", "error: unsigned integer overflow");
    check("1 / 0", "error: division by zero");
    check("1 % 0", "error: modulus by zero");
    check("1 < 1.5 && 2u > 1 && 1.0 == dyn(1)", "true");
    check("'a' < 'b' && b'a' < b'b' && false < true", "true");
    check("dyn('a') < dyn(1)", "error: no such overload");
    check("[1, 2] + [3]", "[1, 2, 3]");
    check("'a' + 'b'", "ab");
    check("!true || !false", "true");
    check("-(-1) == 1 && --1 == 1 && !!true", "true");
}

#[test]
fn errors_are_absorbed() {
    check("1 / 0 == 1 || true", "true");
    check("true || 1 / 0 == 1", "true");
    check("1 / 0 == 1 && false", "false");
    check("1 / 0 == 1 && true", "error: division by zero");
    check("[0, 1].all(x, 1 / x == 2)", "false");
    check("[0, 1].exists(x, 1 / x == 1)", "true");
    check("[0, 1].all(x, 1 / x == 1)", "error: division by zero");
    check("[0, 1].exists_one(x, 1 / x == 1)", "error: division by zero");
}

#[test]
fn paths() {
    check("object.metadata.name", "web");
    check("object.spec.containers[1].securityContext.privileged", "true");
    check("object.spec.gone", "error: no such key: gone");
    check("object.spec.containers[5]", "error: index out of bounds: 5");
    check("object.spec.containers.name", "error: unsupported index type 'string' in list");
    check("object.spec.replicas.x", "error: no such key: x");
    check("object.metadata.labels['app']", "web");
    check("has(object.spec.gone)", "false");
    check("has(object.spec.gone.deeper)", "error: no such key: gone");
    check("has(object.spec.none)", "true");
    check("object.spec.none == null", "true");
    check("object.spec.replicas == 3 && object.spec.ratio == 1.5", "true");
    check("type(object.spec.replicas) == int && type(object) == map", "true");
}

#[test]
fn optional_values() {
    check("object.?spec.?gone.orValue('x')", "x");
    check("object.?spec.gone.deeper.hasValue()", "false");
    check(
        "object.spec.containers.map(c, c.?securityContext.?privileged.orValue(false))",
        "[false, true]",
    );
    check("object.?metadata.?name", "optional(web)");
    check("object.spec.containers[?7].hasValue()", "false");
    check("[?object.?gone, ?object.?spec.replicas]", "[3]");
    check("{?'a': object.?gone, 'b': dyn(1)}", "{b: 1}");
    check("object.?metadata.?name.optMap(n, n + '!').orValue('')", "web!");
    check("object.?gone.optMap(n, n + '!').orValue('none')", "none");
    check("object.?metadata.optFlatMap(m, m.?name)", "optional(web)");
    check("optional.none().value()", "error: optional.none() dereference");
    check("optional.ofNonZeroValue('').or(optional.of('a')).value()", "a");
    check("has(object.?gone.b)", "false");
    check("has(object.?metadata.name)", "true");
}

#[test]
fn loops() {
    check("object.spec.containers.all(c, c.image.contains('n') || c.name == 'b')", "true");
    check("object.spec.containers.exists_one(c, has(c.securityContext))", "true");
    check("object.spec.containers.filter(c, has(c.ports)).map(c, c.name)", "[a]");
    check("object.metadata.labels.map(k, k + '=' + object.metadata.labels[k])", "[app=web]");
    check("[1, 2, 3].map(x, x > 1, x * 2)", "[4, 6]");
    check("[5, 6].all(i, v, v == i + 5)", "true");
    check("{'a': 1}.exists(k, v, k == 'a' && v == 1)", "true");
    check("[1, 2].transformList(i, v, i * v)", "[0, 2]");
    check("{'a': 1, 'b': 2}.transformMap(k, v, v * 2)", "{a: 2, b: 4}");
    check("['a', 'b'].transformMapEntry(i, v, {v: i})", "{a: 0, b: 1}");
    check(
        "['a', 'a'].transformMapEntry(i, v, {v: i})",
        "error: insert failed: key a already exists",
    );
    check("[[1], [2]].map(x, x.map(y, x[0] + y))", "[[2], [4]]");
    check("dyn(1).all(x, true)", "error: got 'types.Int', expected iterable type");
}

#[test]
fn conversions() {
    check("int('12') + int(3.9) + int(4u) + int(timestamp('1970-01-01T00:00:10Z'))", "29");
    check("string(1) + string(2u) + string(1.5) + string(true) + string(b'x')", "121.5truex");
    check(
        "string(duration('90m')) + ' ' + string(timestamp('2020-01-02T03:04:05Z'))",
        "5400s 2020-01-02T03:04:05Z",
    );
    check("double('1e3') == 1000.0 && uint('5') == 5u && bool('t')", "true");
    check(
        "duration(object.metadata.name)",
        "error: type conversion error from 'string' to 'google.protobuf.Duration'",
    );
    check("int(object.metadata)", "error: no such overload: int(map)");
    check("size('héllo') == 5 && size(b'ab') == 2 && {'a': 1}.size() == 1", "true");
    check("timestamp('2024-02-29T10:20:30Z').getDayOfYear()", "59");
    check("timestamp('2024-02-29T23:20:30Z').getDate('02:00')", "1");
    check("duration('3h30m').getMinutes()", "210");
    check(
        "timestamp('2024-01-01T00:00:00Z') + duration('1h') > timestamp('2024-01-01T00:30:00Z')",
        "true",
    );
    check("object.metadata.name.matches('^w.b$') && !'x'.startsWith('y')", "true");
    check("2 in [1, 2] && 'app' in object.metadata.labels && !(dyn(1.0) in [2])", "true");
}

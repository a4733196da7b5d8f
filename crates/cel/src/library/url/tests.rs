use super::*;

#[track_caller]
fn check(text: &str, expected: Result<[&str; 5], &str>) {
    let got = Url::parse(text).map(|url| {
        [url.scheme().to_owned(), url.host(), url.hostname(), url.port(), url.escaped_path()]
    });
    match (got, expected) {
        (Ok(got), Ok(expected)) => assert_eq!(got, expected, "{text}"),
        (Err(error), Err(expected)) => assert!(error.ends_with(expected), "{text}: {error}"),
        (got, _) => panic!("{text}: {got:?}"),
    }
}

#[test]
fn parts_are_those_of_go() {
    check(
        "https://user:pw@example.com:80/a%20b?q=1#f",
        Ok(["https", "example.com:80", "example.com", "80", "/a%20b"]),
    );
    check("HTTPS://[::1]:80/", Ok(["https", "[::1]:80", "::1", "80", "/"]));
    check("http://[fe80::1%25eth0]/", Ok(["http", "[fe80::1%eth0]", "fe80::1%eth0", "", "/"]));
    check("/path/with space", Ok(["", "", "", "", "/path/with%20space"]));
    check("/a%2Fb", Ok(["", "", "", "", "/a%2Fb"]));
    check("mailto:a@b", Ok(["mailto", "", "", "", ""]));
    check("file:/etc", Ok(["file", "", "", "", "/etc"]));
    check("*", Ok(["", "", "", "", "*"]));
    check("//host/path", Ok(["", "host", "host", "", "/path"]));
    check("", Err(": parse \"\": empty url"));
    check("host", Err(": parse \"host\": invalid URI for request"));
    check("../a", Err(": invalid URI for request"));
    check(":x", Err(": missing protocol scheme"));
    check("http://a b/", Err(": invalid character \" \" in host name"));
    check("http://a/%zz", Err(": invalid URL escape \"%zz\""));
    check("http://a/%é", Err(": invalid URL escape \"%é\""));
    check("http://a%41/", Err(": invalid URL escape \"%41\""));
    check("http://a:b/", Err(": invalid port \":b\" after host"));
    check("http://a:1:2/", Err(": invalid port \":1:2\" after host"));
    check("x://a:1:2/", Ok(["x", "a:1:2", "a:1", "2", "/"]));
    check("http://[::1/", Err(": missing ']' in host"));
    check("http://[1.2.3.4]/", Err(": invalid IP-literal"));
    check("http://a[::1]/", Err(": invalid IP-literal"));
    check("http://us er@a/", Err(": net/url: invalid userinfo"));
    check("http://a/\n", Err(": net/url: invalid control character in URL"));
}

#[test]
fn query_keeps_what_decodes() {
    let query = |text| Url::parse(text).unwrap().query();
    let values = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    assert_eq!(
        query("https://a/?k=1&k=2&l=a+b%20c&x;y=1&z=%zz&empty&=v"),
        [
            ("k".into(), values(&["1", "2"])),
            ("l".into(), values(&["a b c"])),
            ("empty".into(), values(&[""])),
            (String::new(), values(&["v"])),
        ]
    );
    assert_eq!(query("https://a/#?k=1"), []);
    assert_eq!(query(&format!("https://a/?{}", "a&".repeat(10_000))), []);
}

#[test]
fn equality_is_of_the_text() {
    for (text, expected) in [
        ("HTTP://a/b?#c", "http://a/b?#c"),
        ("http://u:p%40@a/", "http://u:p%40@a/"),
        ("http://a/[x]", "http://a/[x]"),
        ("http://a/ x", "http://a/%20x"),
        ("file:///x", "file:///x"),
        ("mailto:a", "mailto:a"),
        ("a:/b", "a:/b"),
    ] {
        assert_eq!(Url::parse(text).unwrap().text(), expected);
    }
}

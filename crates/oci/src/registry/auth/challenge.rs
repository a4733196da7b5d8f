//! `WWW-Authenticate`. Source: RFC 9110, section 11.6.1; Docker registry token authentication.
use http_auth::parser::ChallengeParser;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

/// The challenges of one header that can be met; what follows a malformed one is left out.
pub(super) fn parse(header: &str) -> Vec<Challenge> {
    let challenges = ChallengeParser::new(header).map_while(Result::ok);
    let known = challenges.filter_map(|challenge| {
        let parameter = |name: &str| {
            let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
            found.map(|(_, value)| value.to_unescaped()).filter(|value| !value.is_empty())
        };
        if challenge.scheme.eq_ignore_ascii_case("basic") {
            return Some(Challenge::Basic);
        }
        if !challenge.scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let (service, scope) = (parameter("service"), parameter("scope"));
        Some(Challenge::Bearer { realm: parameter("realm")?, service, scope })
    });
    known.collect()
}

#[test]
fn table() {
    #[track_caller]
    fn check(header: &str, expected: &[Challenge]) {
        assert_eq!(parse(header), expected, "{header}");
    }
    let bearer = |service: Option<&str>, scope: Option<&str>| Challenge::Bearer {
        realm: "https://auth.example/token".into(),
        service: service.map(str::to_owned),
        scope: scope.map(str::to_owned),
    };
    check(
        r#"Bearer realm="https://auth.example/token",service="r.example",scope="repository:a/b:pull,push""#,
        &[bearer(Some("r.example"), Some("repository:a/b:pull,push"))],
    );
    check(r#"bearer Realm="https://auth.example/token", service="""#, &[bearer(None, None)]);
    check(
        r#"Basic realm="r", Bearer realm="https://auth.example/token""#,
        &[Challenge::Basic, bearer(None, None)],
    );
    check(r#"Digest realm="r", nonce="n", Basic realm="r""#, &[Challenge::Basic]);
    check("Basic", &[Challenge::Basic]);
    check(r#"Bearer service="s""#, &[]);
    check("Bearer realm=", &[]);
    check("", &[]);
}

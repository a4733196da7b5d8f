//! AWS Signature Version 4, by hand: crates for it bring AWS's whole runtime.
//! Source: AWS IAM User Guide, "Create a signed AWS API request".
use crate::registry::credential::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What signs.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    pub(super) access: String,
    pub(super) secret: Secret,
    pub(super) session: Option<Secret>,
}

/// What is signed. No query is needed here, so none is.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// By lower-case name; `host` and `x-amz-date` among them.
    pub(super) headers: &'a BTreeMap<&'static str, String>,
    pub(super) body: &'a str,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) time: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// The `Authorization` header.
pub(super) fn authorization(signed: &Signed<'_>, keys: &Keys) -> String {
    let names: Vec<&str> = signed.headers.keys().copied().collect();
    let names = names.join(";");
    let headers: String =
        signed.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
    let body = hex::encode(Sha256::digest(signed.body));
    let canonical = format!("{}\n{}\n\n{headers}\n{names}\n{body}", signed.method, signed.path);
    let day = signed.time.get(..8).unwrap_or(signed.time);
    let scope = format!("{day}/{}/{}/aws4_request", signed.region, signed.service);
    let hash = hex::encode(Sha256::digest(canonical));
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{hash}", signed.time);
    let start = format!("AWS4{}", keys.secret.expose()).into_bytes();
    let key = [day, signed.region, signed.service, "aws4_request"]
        .into_iter()
        .fold(start, |key, part| mac(&key, part.as_bytes()));
    let signature = hex::encode(mac(&key, text.as_bytes()));
    let access = &keys.access;
    format!(
        "AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
}

fn mac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// Source: AWS Signature Version 4 test suite: `get-vanilla`, `post-vanilla`, `post-x-www-form-urlencoded`,
/// `post-header-key-sort`, `post-sts-header-before`.
#[test]
fn published_vectors() {
    #[track_caller]
    fn check(method: &str, body: &str, more: &[(&'static str, &str)], expected: &str) {
        let mut headers = BTreeMap::from([
            ("host", "example.amazonaws.com".to_owned()),
            ("x-amz-date", "20150830T123600Z".to_owned()),
        ]);
        headers.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let signed = Signed {
            method,
            path: "/",
            headers: &headers,
            body,
            time: "20150830T123600Z",
            region: "us-east-1",
            service: "service",
        };
        let keys = Keys {
            access: "AKIDEXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session: None,
        };
        let header = authorization(&signed, &keys);
        assert_eq!(header.rsplit('=').next(), Some(expected), "{header}");
    }
    check("GET", "", &[], "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31");
    check("POST", "", &[], "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
    check(
        "POST",
        "Param1=value1",
        &[("content-type", "application/x-www-form-urlencoded")],
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
    );
    check(
        "POST",
        "",
        &[("my-header1", "value1")],
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    );
    let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
    check(
        "POST",
        "",
        &[("x-amz-security-token", token)],
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    );
}

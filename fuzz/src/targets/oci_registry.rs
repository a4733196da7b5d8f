//! What a registry's answers and users name: a `Link` leads to a part of itself, and a name that is taken says itself
//! again.
use super::texts;
use crate::Target;
use seawall_oci::registry::{Name, parse_link};

pub(crate) const TARGET: Target = Target { name: "oci-registry", run, seeds, rounds: 20_000 };

fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(next) = parse_link(&text) {
        assert!(text.contains(&format!("<{next}>")));
    }
    if let Ok(name) = text.parse::<Name>() {
        assert_eq!(name.to_string().parse(), Ok(name));
    }
}

fn seeds() -> Vec<Vec<u8>> {
    texts([
        r#"</v2/a/tags/list?last=b&n=2>; rel="next""#,
        r#"<x>; title="a, <b>"; rel="prev last", <y>;REL=next"#,
        "alpine",
        "registry.example:5000/ns/name__x-y.z:tag",
        "[::1]:5000/a",
        "index.docker.io/a@sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
    ])
}

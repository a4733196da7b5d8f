//! `system:masters` in a binding, or asked for in a certificate request: its members pass every authorizer.
use super::inputs::RBAC;
use super::{Input, Join, Native, Subjects};
use crate::evaluate::Judgement;
use crate::rbac::{MASTERS, Subject as Who, binding_of};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "masters",
    subjects: Subjects::Kinds(&[
        (RBAC, "ClusterRoleBinding"),
        (RBAC, "RoleBinding"),
        ("certificates.k8s.io", "CertificateSigningRequest"),
    ]),
    inputs: &[Input { group: RBAC, kind: "ClusterRoleBinding", join: Join::When(never) }],
    judge,
};

/// The subject alone decides.
fn never(_changed: &Value, _subject: &Subject<'_>) -> bool {
    false
}

fn judge(subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    let Some(object) = subject.object else { return Judgement::healthy() };
    if object.kind() == "CertificateSigningRequest" {
        return request(object.value());
    }
    let listed = object.value().get("subjects").and_then(Value::as_array);
    let group = Who::group(MASTERS);
    let named = listed.into_iter().flatten().enumerate();
    let named: Vec<Evidence> = named
        .filter(|(_, value)| Who::read(value, None).as_ref() == Some(&group))
        .map(|(index, value)| Evidence { path: format!("/subjects/{index}"), value: value.clone() })
        .collect();
    let built_in = binding_of(subject)
        .is_some_and(|binding| world.library().bootstrap.binds(world.access(), &binding, &group));
    if named.is_empty() || built_in {
        return Judgement::healthy();
    }
    Judgement::unhealthy("binds system:masters, whose members may do everything already", named)
}

fn request(object: &Value) -> Judgement {
    let Some(text) = object.pointer("/spec/request").and_then(Value::as_str) else {
        return Judgement::unknown("error", "the request holds no certificate request");
    };
    let der = base64(text).and_then(|pem| {
        let pem = String::from_utf8(pem).ok()?;
        let body = pem.lines().filter(|line| !line.starts_with("-----"));
        base64(&body.collect::<String>())
    });
    let Some(der) = der else {
        return Judgement::unknown("error", "the certificate request is no PEM");
    };
    if !names_masters(&der) {
        return Judgement::healthy();
    }
    let evidence =
        Evidence { path: "/spec/request".to_owned(), value: format!("O={MASTERS}").into() };
    Judgement::unhealthy("asks for a certificate of system:masters", vec![evidence])
}

/// Whether an organisation of the subject is the group: attribute 2.5.4.10 followed by that text as one of the DER
/// string types. Source: RFC 2986 section 4.1, RFC 5280 appendix A.1.
fn names_masters(der: &[u8]) -> bool {
    const ORGANISATION: [u8; 5] = [0x06, 0x03, 0x55, 0x04, 0x0a];
    let masters = MASTERS.as_bytes();
    der.windows(ORGANISATION.len() + 2 + masters.len()).any(|window| {
        let (attribute, text) = window.split_at(ORGANISATION.len());
        attribute == ORGANISATION && usize::from(text[1]) == masters.len() && text[2..] == *masters
    })
}

/// RFC 4648 section 4; `None` for anything else.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').bytes().filter(|byte| !byte.is_ascii_whitespace());
    let (mut bits, mut held, mut bytes) = (0_u32, 0, Vec::with_capacity(text.len() / 4 * 3));
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[test]
fn base64_is_read() {
    assert_eq!(base64("aGFsbG8="), Some(b"hallo".to_vec()));
    assert_eq!(base64("aGFs\nbG8"), Some(b"hallo".to_vec()));
    assert_eq!(base64("a-b"), None);
}

//! Base 64 as Go decodes it, and JSON Web Tokens. Source: Go's `encoding/base64`: CR and LF are passed over.
use super::{Answer, Stop, string, text};
use crate::value;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use regorus::Value;

pub(super) fn base64_decode(args: &[Value]) -> Answer {
    let bytes = STANDARD.decode(unbroken(text(&args[0])?)).map_err(|_| Stop::Undefined)?;
    string(String::from_utf8_lossy(&bytes))
}

pub(super) fn base64_is_valid(args: &[Value]) -> Answer {
    let valid = text(&args[0]).is_ok_and(|text| STANDARD.decode(unbroken(text)).is_ok());
    Ok(Value::Bool(valid))
}

pub(super) fn base64url_decode(args: &[Value]) -> Answer {
    string(String::from_utf8_lossy(&url_bytes(text(&args[0])?)?))
}

/// `[header, payload, signature as hexadecimal text]`, unverified.
pub(super) fn jwt_decode(args: &[Value]) -> Answer {
    let mut token = text(&args[0])?.to_owned();
    // A token may hold a token; no real one holds more than two.
    for _ in 0..8 {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts[..] else { return Err(Stop::Undefined) };
        let header = json_object(&url_bytes(header)?)?;
        let payload = url_bytes(payload)?;
        if header.get("cty").and_then(|kind| kind.as_str()) == Some("JWT") {
            token = String::from_utf8_lossy(&payload).trim_matches(['"', '\'']).to_owned();
            continue;
        }
        let payload = json_object(&payload)?;
        let signature = hex::encode(url_bytes(signature)?);
        let parts = [value::from_json(&header), value::from_json(&payload), Value::from(signature)];
        return Ok(Value::from(parts.to_vec()));
    }
    Err(Stop::Undefined)
}

fn json_object(bytes: &[u8]) -> Result<serde_json::Value, Stop> {
    let value: serde_json::Value = serde_json::from_slice(bytes).map_err(|_| Stop::Undefined)?;
    if value.is_object() { Ok(value) } else { Err(Stop::Undefined) }
}

/// As OPA does, padding is added where it is missing.
fn url_bytes(text: &str) -> Result<Vec<u8>, Stop> {
    let padded = match text.len() % 4 {
        2 if !text.ends_with("==") => format!("{text}=="),
        3 if !text.ends_with('=') => format!("{text}="),
        _ => text.to_owned(),
    };
    URL_SAFE.decode(unbroken(&padded)).map_err(|_| Stop::Undefined)
}

fn unbroken(text: &str) -> String {
    text.replace(['\r', '\n'], "")
}

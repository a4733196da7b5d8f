//! JSON Web Tokens as an API server signs them for service accounts.
//!
//! By hand over ring: the maintained library wants a second crypto provider, and two signature algorithms are all that
//! API servers use. Sources: RFC 7515 (compact serialisation), RFC 7517 and 7518 (keys, RS256, ES256).
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};

/// Tokens of API servers have about 1 KiB.
const MAX_TOKEN_BYTES: usize = 16 << 10;

/// One public key of a JSON Web Key Set; other members are dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) kid: String,
    #[serde(flatten)]
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kty")]
enum Material {
    #[serde(rename = "RSA")]
    Rsa { n: String, e: String },
    #[serde(rename = "EC")]
    Elliptic { crv: String, x: String, y: String },
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

/// What a service-account token says. Source: Kubernetes, "Managing Service Accounts", bound tokens.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    aud: Audience,
    /// Epoch seconds.
    pub(super) exp: i64,
    #[serde(default)]
    pub(super) nbf: i64,
    #[serde(rename = "kubernetes.io")]
    pub(super) kubernetes: Kubernetes,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

#[derive(Debug, Deserialize)]
pub(super) struct Kubernetes {
    pub(super) namespace: String,
    pub(super) serviceaccount: Named,
    pub(super) pod: Option<Named>,
    /// Since Kubernetes 1.30.
    pub(super) node: Option<Named>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

impl Claims {
    pub(super) fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            Audience::One(one) => one == audience,
            Audience::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

/// The id of the key that a token claims to be signed with.
pub(super) fn key_id(token: &str) -> Option<String> {
    let (header, _) = token.split_once('.')?;
    Some(part::<Header>(header)?.kid)
}

/// The claims of a token that one of `keys` signed; none where it is malformed or the signature does not hold.
pub(super) fn verify(token: &str, keys: &[Key]) -> Option<Claims> {
    if token.len() > MAX_TOKEN_BYTES {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Header = part(header)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let key = keys.iter().find(|key| key.kid == header.kid)?;
    // The key decides the algorithm; a token that names another lies.
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
    match (&key.material, header.alg.as_str()) {
        (Material::Rsa { n, e }, "RS256") => RsaPublicKeyComponents { n: bytes(n)?, e: bytes(e)? }
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .ok()?,
        (Material::Elliptic { crv, x, y }, "ES256") if crv == "P-256" => {
            let point = [vec![4], bytes(x)?, bytes(y)?].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), &signature)
                .ok()?;
        }
        _ => return None,
    }
    part(claims)
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
    use serde_json::{Value, json};

    /// An API server's signing key, and its public half as a key set lists it.
    pub(crate) struct Issuer {
        pair: EcdsaKeyPair,
        pub(crate) jwks: Value,
    }

    impl Issuer {
        pub(crate) fn new(kid: &str) -> Self {
            let random = SystemRandom::new();
            let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap();
            let point = pair.public_key().as_ref();
            let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
            let jwks = json!({"keys": [{"use": "sig", "kty": "EC", "kid": kid, "crv": "P-256", "alg": "ES256",
                "x": encode(&point[1..33]), "y": encode(&point[33..])}]});
            Self { pair, jwks }
        }

        pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
            let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let signed = format!("{}.{}", encode(header), encode(claims));
            let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    fn claims() -> Value {
        json!({"iss": "https://kubernetes.default.svc", "aud": ["seawall"], "exp": 2_000, "nbf": 1_000,
            "kubernetes.io": {"namespace": "seawall", "serviceaccount": {"name": "seawall-sensor", "uid": "u"},
                "pod": {"name": "p", "uid": "u"}, "node": {"name": "n", "uid": "u"}}})
    }

    #[test]
    fn only_the_key_s_own_signature_holds() {
        let issuer = Issuer::new("k1");
        let keys: Vec<Key> = serde_json::from_value(issuer.jwks["keys"].clone()).unwrap();
        let header = json!({"alg": "ES256", "kid": "k1"});
        let token = issuer.sign(&header, &claims());
        let read = verify(&token, &keys).expect("its own");
        assert!(read.is_for("seawall") && !read.is_for("other"));
        assert_eq!(read.kubernetes.node.unwrap().name, "n");
        assert_eq!(key_id(&token).as_deref(), Some("k1"));

        let foreign = Issuer::new("k1").sign(&header, &claims());
        let unsigned = issuer.sign(&json!({"alg": "none", "kid": "k1"}), &claims());
        let other_key = issuer.sign(&json!({"alg": "ES256", "kid": "k2"}), &claims());
        let mut changed = claims();
        changed["aud"] = json!("other");
        let (_, body) = token.split_once('.').unwrap();
        let (_, signature) = body.split_once('.').unwrap();
        let swapped = issuer.sign(&header, &changed);
        let swapped = format!("{}.{signature}", swapped.rsplit_once('.').unwrap().0);
        for (what, token) in [
            ("foreign", foreign.as_str()),
            ("unsigned", &unsigned),
            ("another key", &other_key),
            ("swapped claims", &swapped),
            ("no token", "a.b"),
            ("empty", ""),
        ] {
            assert!(verify(token, &keys).is_none(), "{what}");
        }
    }

    /// Made by `openssl genrsa 2048` and signed with `openssl dgst -sha256 -sign`.
    #[test]
    fn tokens_of_a_real_rsa_key_hold() {
        let jwks: Value = serde_json::from_str(include_str!("rsa_token.json")).unwrap();
        let keys: Vec<Key> = serde_json::from_value(jwks["keys"].clone()).unwrap();
        assert!(verify(jwks["token"].as_str().unwrap(), &keys).is_some());
    }
}

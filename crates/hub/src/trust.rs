//! By whose word later pods of a cluster may join: the keys that its API server signs service-account tokens with, as
//! the cluster's first agent told them.
//!
//! A key's id leads to the cluster that holds it, so that a sensor without any right in its cluster need not know which
//! cluster it is in. No cluster can take another's key: its own pods would be taken for that one's.
mod jwt;

use crate::app::App;
use seawall_model::asset::AgentRole;
use seawall_store::ClusterTrust;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The audience that a token for Seawall must be made for.
pub(crate) const AUDIENCE: &str = "seawall";
/// Keys of one cluster: rotations overlap two.
const MAX_KEYS: usize = 16;
/// Service accounts of one cluster that may join.
const MAX_JOINERS: usize = 8;
/// Names of issuers and service accounts; URLs of issuers have below 200 bytes.
const MAX_NAME_BYTES: usize = 1_024;
/// Key ids are hashes: 43 bytes.
const MAX_KEY_ID_BYTES: usize = 256;
/// What is kept of one cluster; 16 RSA keys of 8,192 bits have 23 KiB.
const MAX_TRUST_BYTES: usize = 32 << 10;
/// Tolerated difference of clocks, seconds.
const SKEW: i64 = 60;

/// What a cluster agent tells of its API server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trust {
    issuer: String,
    keys: Vec<jwt::Key>,
    joiners: Vec<Joiner>,
}

/// Pods of this service account may join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Joiner {
    /// `NAMESPACE/NAME`
    pub(crate) service_account: String,
    pub(crate) role: AgentRole,
}

/// Who a token proves to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Joining {
    pub(crate) role: AgentRole,
    /// The node of a sensor, the pod of a cluster agent.
    pub(crate) name: String,
    /// `NAMESPACE/NAME`
    pub(crate) service_account: String,
}

/// Why a token lets nobody join: a stable word and what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotTrusted {
    pub(crate) code: &'static str,
    pub(crate) detail: &'static str,
}

const INVALID: NotTrusted = NotTrusted {
    code: "token-invalid",
    detail: "the cluster's API server did not sign this service-account token",
};

impl Trust {
    /// Reads a key set (RFC 7517). Keys of algorithms that API servers do not use are left out.
    pub(crate) fn new(
        issuer: String,
        jwks: &Value,
        joiners: Vec<Joiner>,
    ) -> Result<Self, &'static str> {
        let keys = jwks["keys"].as_array().ok_or("is no JSON Web Key Set: it has no `keys`")?;
        let keys: Vec<jwt::Key> =
            keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).collect();
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err("must have 1 to 16 RSA or P-256 keys with a `kid`");
        }
        if joiners.len() > MAX_JOINERS {
            return Err("must let at most 8 service accounts join");
        }
        let long = |name: &String| name.len() > MAX_NAME_BYTES;
        if long(&issuer)
            || joiners.iter().any(|joiner| long(&joiner.service_account))
            || keys.iter().any(|key| key.kid.len() > MAX_KEY_ID_BYTES)
        {
            return Err("has an issuer or account of over 1,024 bytes, or a `kid` of over 256");
        }
        let trust = Self { issuer, keys, joiners };
        if trust.document().len() > MAX_TRUST_BYTES {
            return Err("has over 32 KiB");
        }
        Ok(trust)
    }

    fn document(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts serialise")
    }

    /// What remains with these keys alone.
    fn with(&self, key_ids: &[&str]) -> Self {
        let mut rest = self.clone();
        rest.keys.retain(|key| key_ids.contains(&key.kid.as_str()));
        rest
    }

    /// Who may join with `token` at `now`, epoch milliseconds.
    pub(crate) fn judge(&self, token: &str, now: i64) -> Result<Joining, NotTrusted> {
        let claims = jwt::verify(token, &self.keys).ok_or(INVALID)?;
        let now = now / 1_000;
        if claims.iss != self.issuer || claims.nbf > now + SKEW {
            return Err(INVALID);
        }
        if claims.exp + SKEW < now {
            let detail = "the service-account token has expired: mount it as a projected volume";
            return Err(NotTrusted { code: "token-expired", detail });
        }
        if !claims.is_for(AUDIENCE) {
            let detail = "the service-account token must be projected with the audience `seawall`";
            return Err(NotTrusted { code: "token-audience", detail });
        }
        let of = claims.kubernetes;
        let service_account = format!("{}/{}", of.namespace, of.serviceaccount.name);
        let joiner = self.joiners.iter().find(|joiner| joiner.service_account == service_account);
        let joiner = joiner.ok_or(NotTrusted {
            code: "service-account-not-allowed",
            detail: "the cluster's agent named other service accounts that may join",
        })?;
        let name = match joiner.role {
            AgentRole::Sensor => of.node.or(of.pod),
            AgentRole::ClusterAgent => of.pod,
        };
        let name = name.map_or_else(|| service_account.clone(), |named| named.name);
        Ok(Joining { role: joiner.role, name, service_account })
    }
}

/// Keeps what the agent of a cluster says now; keys that it no longer lists are trusted no more. Keys that another
/// cluster holds are left out.
pub(crate) async fn keep(app: &App, cluster_uid: &str, trust: &Trust) -> seawall_store::Result<()> {
    let key_ids: Vec<&str> = trust.keys.iter().map(|key| key.kid.as_str()).collect();
    let document = |own: &[&str]| trust.with(own).document();
    let foreign = app.store.keep_cluster_trust(cluster_uid, &key_ids, document).await?;
    if !foreign.is_empty() {
        tracing::warn!(cluster_uid, ?foreign, "service-account keys of another cluster not taken");
    }
    Ok(())
}

/// The cluster that holds the key of a token, and the trust kept for it. None where the caller names another.
pub(crate) async fn of_token(
    app: &App,
    token: &str,
    cluster_uid: Option<&str>,
) -> seawall_store::Result<Option<(String, Trust)>> {
    let Some(kid) = jwt::key_id(token) else { return Ok(None) };
    let Some(uid) = app.store.cluster_of_key(&kid).await? else { return Ok(None) };
    if cluster_uid.is_some_and(|named| named != uid) {
        return Ok(None);
    }
    let kept = app.store.cluster_trust(&uid).await?;
    let trust = kept.and_then(|document| serde_json::from_slice(&document).ok());
    Ok(trust.map(|trust| (uid, trust)))
}

#[cfg(test)]
mod tests {
    use super::jwt::tests::Issuer;
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(issuer: &Issuer, change: fn(&mut Value), expected: Result<&str, &str>) {
        let joiners = vec![
            Joiner { service_account: "seawall/seawall-sensor".into(), role: AgentRole::Sensor },
            Joiner {
                service_account: "seawall/seawall-agent".into(),
                role: AgentRole::ClusterAgent,
            },
        ];
        let trust = Trust::new("https://issuer".into(), &issuer.jwks, joiners).unwrap();
        let mut claims = json!({"iss": "https://issuer", "aud": ["seawall"], "exp": 2_000, "nbf": 900,
            "kubernetes.io": {"namespace": "seawall", "serviceaccount": {"name": "seawall-sensor"},
                "pod": {"name": "sensor-x"}, "node": {"name": "node-1"}}});
        change(&mut claims);
        let token = issuer.sign(&json!({"alg": "ES256", "kid": "k"}), &claims);
        let judged = trust.judge(&token, 1_000_000);
        let told = judged.as_ref().map(|joining| joining.name.as_str()).map_err(|not| not.code);
        assert_eq!(told, expected, "{claims}");
    }

    #[test]
    fn every_claim_counts() {
        let issuer = Issuer::new("k");
        check(&issuer, |_| {}, Ok("node-1"));
        check(
            &issuer,
            |c| c["kubernetes.io"]["serviceaccount"]["name"] = json!("seawall-agent"),
            Ok("sensor-x"),
        );
        check(&issuer, |c| c["kubernetes.io"]["node"] = Value::Null, Ok("sensor-x"));
        check(&issuer, |c| c["iss"] = json!("https://other"), Err("token-invalid"));
        check(&issuer, |c| c["nbf"] = json!(1_100), Err("token-invalid"));
        check(&issuer, |c| c["exp"] = json!(900), Err("token-expired"));
        check(&issuer, |c| c["aud"] = json!("https://kubernetes"), Err("token-audience"));
        let not_allowed = Err("service-account-not-allowed");
        check(&issuer, |c| c["kubernetes.io"]["namespace"] = json!("shop"), not_allowed);
    }

    #[test]
    fn key_sets_are_bounded_and_read_leniently() {
        let key =
            json!({"kty": "EC", "kid": "k", "crv": "P-256", "x": "AA", "y": "AA", "use": "sig"});
        let read = |jwks: Value| Trust::new(String::new(), &jwks, Vec::new()).is_ok();
        assert!(read(json!({"keys": [key, {"kty": "oct", "k": "x"}]})));
        assert!(!read(json!({"keys": [{"kty": "oct", "kid": "x"}]})));
        assert!(!read(json!({})) && !read(json!({"keys": vec![key.clone(); 17]})));
        let with = |field: &str, bytes: usize| {
            let mut key = key.clone();
            key[field] = "A".repeat(bytes).into();
            json!({"keys": [key]})
        };
        assert!(read(with("kid", 256)) && !read(with("kid", 257)));
        assert!(read(with("x", 30_000)) && !read(with("x", 40_000)));
        let issuer = |bytes| Trust::new("i".repeat(bytes), &with("kid", 1), Vec::new()).is_ok();
        assert!(issuer(1_024) && !issuer(1_025));
    }
}

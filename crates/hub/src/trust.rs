//! By whose word later pods of a cluster may join: the keys that its API server signs service-account tokens with, as
//! the cluster's first agent told them.
//!
//! Trust is kept among the store's settings, by the cluster's UID; a second setting leads from a key's id to the UID,
//! so that a sensor without any right in its cluster need not know which cluster it is in.
mod jwt;

use crate::app::App;
use seawall_model::asset::AgentRole;
use seawall_store::Settings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The audience that a token for Seawall must be made for.
pub(crate) const AUDIENCE: &str = "seawall";
/// Keys of one cluster: rotations overlap two.
const MAX_KEYS: usize = 16;
/// Service accounts of one cluster that may join.
const MAX_JOINERS: usize = 8;
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
        Ok(Self { issuer, keys, joiners })
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

fn trust_key(cluster_uid: &str) -> String {
    format!("cluster-trust:{cluster_uid}")
}

fn issuer_key(kid: &str) -> String {
    format!("cluster-trust-key:{kid}")
}

/// Keeps what the agent of a cluster says now; keys that it no longer lists are trusted no more.
pub(crate) async fn keep(app: &App, cluster_uid: &str, trust: &Trust) -> seawall_store::Result<()> {
    let document = serde_json::to_vec(trust).expect("texts serialise");
    let key = trust_key(cluster_uid);
    if app.store.setting(&key).await?.as_deref() == Some(&document) {
        return Ok(());
    }
    app.store.set_setting(&key, &document).await?;
    for key in &trust.keys {
        app.store.set_setting(&issuer_key(&key.kid), cluster_uid.as_bytes()).await?;
    }
    Ok(())
}

/// The cluster that a token comes from, by its UID if the caller knows it, and the trust kept for it.
pub(crate) async fn of_token(
    app: &App,
    token: &str,
    cluster_uid: Option<&str>,
) -> seawall_store::Result<Option<(String, Trust)>> {
    let uid = match cluster_uid {
        Some(uid) => uid.to_owned(),
        None => {
            let Some(kid) = jwt::key_id(token) else { return Ok(None) };
            let Some(uid) = app.store.setting(&issuer_key(&kid)).await? else { return Ok(None) };
            String::from_utf8_lossy(&uid).into_owned()
        }
    };
    let kept = app.store.setting(&trust_key(&uid)).await?;
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
        assert!(!read(json!({})) && !read(json!({"keys": vec![key; 17]})));
    }
}

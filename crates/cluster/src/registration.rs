//! Our entry in the API server: the CA by which it knows the webhook, put there and kept there.
//!
//! Only the one name is read and patched; making a deleted entry anew takes a right that the agent does not have.
use crate::Connection;
use crate::watch::{Kind, resource};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// How often the entry is looked at: a changed one is mended, a deleted one told, within this.
const EVERY: Duration = Duration::from_secs(10);
/// A request that hangs must not stop the looking.
const DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    #[error("cannot read ValidatingWebhookConfiguration {name}")]
    Read { name: String, source: kube::Error },
    #[error("cannot patch ValidatingWebhookConfiguration {name}")]
    Patch { name: String, source: kube::Error },
    #[error("the API server does not answer about ValidatingWebhookConfiguration {name}")]
    Timeout { name: String },
}

/// What was found, and what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Registered {
    Unchanged,
    /// The CA was absent or another.
    Patched,
    /// There is no such configuration.
    Missing,
}

/// What whoever keeps a registration wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistrationEvent {
    /// The entry holds the CA, for the first time or again after trouble.
    Registered,
    /// The CA had been changed by somebody, and is back.
    Restored,
    /// The entry is gone: nothing is judged any more.
    Missing,
    /// Rules, selectors or policy of the entry are not what they were when first seen.
    Altered,
    /// It cannot be read or patched, with the reason.
    Failed(String),
}

/// Puts `ca_pem` into every webhook of the configuration `name` if it is not there.
pub async fn register(
    connection: &Connection,
    name: &str,
    ca_pem: &str,
) -> Result<Registered, RegistrationError> {
    Ok(look(connection, name, ca_pem).await?.0)
}

/// Looks at the entry every ten seconds, and at once when the CA changes; ends when nobody listens or the CA's sender
/// is gone.
pub async fn keep_registered(
    connection: Connection,
    name: String,
    mut ca_pem: watch::Receiver<String>,
    events: mpsc::Sender<RegistrationEvent>,
) {
    let mut keeper = Keeper::default();
    loop {
        let wanted = ca_pem.borrow_and_update().clone();
        for event in keeper.hear(&wanted, look(&connection, &name, &wanted).await) {
            if events.send(event).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            changed = ca_pem.changed() => if changed.is_err() { return },
        }
    }
}

/// Remembers what has been told, so that each change is told once.
#[derive(Default)]
struct Keeper {
    told: Option<RegistrationEvent>,
    /// The CA that was in place last.
    placed: Option<String>,
    /// The entry without its CA, as first seen.
    first: Option<Value>,
    altered: Option<Value>,
}

impl Keeper {
    fn hear(
        &mut self,
        wanted: &str,
        looked: Result<(Registered, Value), RegistrationError>,
    ) -> Vec<RegistrationEvent> {
        let mut events = Vec::new();
        let state = match looked {
            Err(error) => RegistrationEvent::Failed(chain(&error)),
            Ok((Registered::Missing, _)) => {
                self.placed = None;
                RegistrationEvent::Missing
            }
            Ok((registered, rest)) => {
                let ours = self.placed.as_deref() == Some(wanted);
                if registered == Registered::Patched && ours {
                    events.push(RegistrationEvent::Restored);
                }
                self.placed = Some(wanted.to_owned());
                let first = self.first.get_or_insert_with(|| rest.clone());
                let altered = (*first != rest).then_some(rest);
                if altered.is_some() && altered != self.altered {
                    events.push(RegistrationEvent::Altered);
                }
                self.altered = altered;
                RegistrationEvent::Registered
            }
        };
        if self.told.as_ref() != Some(&state) {
            events.insert(0, state.clone());
            self.told = Some(state);
        }
        events
    }
}

/// Finds, patches where needed; also the entry's webhooks without their CA.
async fn look(
    connection: &Connection,
    name: &str,
    ca_pem: &str,
) -> Result<(Registered, Value), RegistrationError> {
    let looking = async {
        let kind = Kind::new(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            "validatingwebhookconfigurations",
        );
        let resource: ApiResource = resource(&kind);
        let api: Api<DynamicObject> = Api::all_with(connection.client.clone(), &resource);
        let named = || name.to_owned();
        let found = api.get_opt(name).await;
        let found = found.map_err(|source| RegistrationError::Read { name: named(), source })?;
        let Some(found) = found else { return Ok((Registered::Missing, Value::Null)) };
        let (operations, rest) = difference(&found.data, &STANDARD.encode(ca_pem));
        if operations.is_empty() {
            return Ok((Registered::Unchanged, rest));
        }
        // The patch tests the names it was made for: a list changed meanwhile refuses it, and the next look mends it.
        let patch: Patch<Value> = Patch::Json(
            serde_json::from_value(Value::Array(operations))
                .expect("each operation has its op, path and value"),
        );
        let patched = api.patch(name, &PatchParams::default(), &patch).await;
        patched.map_err(|source| RegistrationError::Patch { name: named(), source })?;
        Ok((Registered::Patched, rest))
    };
    match tokio::time::timeout(DEADLINE, looking).await {
        Ok(looked) => looked,
        Err(_) => Err(RegistrationError::Timeout { name: name.to_owned() }),
    }
}

/// The JSON Patch that puts the CA into every webhook, and the webhooks without it.
fn difference(configuration: &Value, ca: &str) -> (Vec<Value>, Value) {
    let mut rest = configuration.get("webhooks").cloned().unwrap_or(Value::Array(Vec::new()));
    let mut operations = Vec::new();
    for (index, webhook) in rest.as_array_mut().into_iter().flatten().enumerate() {
        let at = format!("/webhooks/{index}");
        let name = webhook.get("name").cloned().unwrap_or_default();
        let client = webhook.get_mut("clientConfig").and_then(Value::as_object_mut);
        let old = client.and_then(|client| client.shift_remove("caBundle"));
        if old.as_ref().and_then(Value::as_str) != Some(ca) {
            operations.push(json!({"op": "test", "path": format!("{at}/name"), "value": name}));
            let path = format!("{at}/clientConfig/caBundle");
            operations.push(json!({"op": "add", "path": path, "value": ca}));
        }
    }
    (operations, rest)
}

/// The error and its source.
fn chain(error: &RegistrationError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cas: &[Option<&str>]) -> Value {
        let webhook = |(index, ca): (usize, &Option<&str>)| {
            let mut client = json!({"service": {"name": "seawall-agent"}});
            if let Some(ca) = ca {
                client["caBundle"] = (*ca).into();
            }
            json!({"name": format!("w{index}"), "clientConfig": client})
        };
        json!({"webhooks": cas.iter().enumerate().map(webhook).collect::<Vec<_>>()})
    }

    #[test]
    fn only_what_differs_is_patched() {
        let set = |index: usize| {
            [
                json!({"op": "test", "path": format!("/webhooks/{index}/name"), "value": format!("w{index}")}),
                json!({"op": "add", "path": format!("/webhooks/{index}/clientConfig/caBundle"), "value": "ca"}),
            ]
        };
        for (cas, expected) in [
            (vec![], vec![]),
            (vec![Some("ca")], vec![]),
            (vec![None], set(0).to_vec()),
            (vec![Some("old")], set(0).to_vec()),
            (vec![Some("ca"), Some("other"), Some("ca")], set(1).to_vec()),
        ] {
            let (operations, rest) = difference(&entry(&cas), "ca");
            assert_eq!(operations, expected);
            let without = entry(&vec![None; cas.len()]);
            assert_eq!(rest, without["webhooks"]);
        }
        assert_eq!(difference(&json!({}), "ca"), (vec![], json!([])));
    }

    #[test]
    fn each_change_is_told_once() {
        use RegistrationEvent::{Altered, Failed, Missing, Registered as There, Restored};
        let mut keeper = Keeper::default();
        let mut check =
            |wanted: &str, looked: Registered, rest: i32, expected: &[RegistrationEvent]| {
                assert_eq!(keeper.hear(wanted, Ok((looked, json!(rest)))), expected);
            };
        check("a", Registered::Patched, 1, &[There]);
        check("a", Registered::Unchanged, 1, &[]);
        check("b", Registered::Patched, 1, &[]);
        check("b", Registered::Patched, 1, &[Restored]);
        check("b", Registered::Unchanged, 2, &[Altered]);
        check("b", Registered::Unchanged, 2, &[]);
        check("b", Registered::Unchanged, 1, &[]);
        check("b", Registered::Missing, 0, &[Missing]);
        check("b", Registered::Missing, 0, &[]);
        check("b", Registered::Patched, 1, &[There]);
        let failed =
            keeper.hear("b", Err(RegistrationError::Timeout { name: "seawall".to_owned() }));
        assert!(matches!(failed.as_slice(), [Failed(_)]));
    }
}

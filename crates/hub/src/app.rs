//! What every request and task shares.
use crate::advisories::Advisories;
use crate::agents::live::Live;
use crate::auth::throttle::Throttle;
use crate::auth::{Caller, Permissions};
use crate::ca::{Authority, ClusterAuthority};
use crate::content::Content;
use crate::entropy::Entropy;
use crate::seats::Seats;
use crate::tasks::Wakers;
use seawall_model::time::Clock;
use seawall_model::{Id, Millis};
use seawall_store::{Audit, NewAuditEntry, Store};
use serde_json::Value;
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::Arc;
use tokio::sync::watch;

/// A handle; clones share everything. Permissions are a value beside it, so that a test can serve another table.
#[derive(Clone)]
pub(crate) struct App {
    shared: Arc<Shared>,
    pub(crate) permissions: Permissions,
}

/// Owned by the hub from start to shutdown; the store and the locks inside are what changes.
pub(crate) struct Shared {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) content: Content,
    pub(crate) advisories: Advisories,
    /// Signs for hub and agents.
    pub(crate) authority: Authority,
    /// Signs what clusters need beside that.
    pub(crate) cluster_authority: ClusterAuthority,
    /// Hash of the CA that signed the certificate served on the API port: the end of every enrolment token.
    pub(crate) pin: String,
    /// `https://HOST[:PORT]` where a proxy stands before the hub.
    pub(crate) base_url: Option<String>,
    /// Where the API port listens.
    pub(crate) api_address: SocketAddr,
    pub(crate) agents_address: SocketAddr,
    pub(crate) live: Live,
    pub(crate) wakers: Wakers,
    /// Keys are account names folded, addresses, principals and agents.
    pub(crate) sign_ins_of_account: Throttle<String>,
    pub(crate) sign_ins_from_address: Throttle<IpAddr>,
    /// Those that the audit log tells of.
    pub(crate) refused_enrolments: Throttle<IpAddr>,
    /// Alerts about two agents of one identity, by cluster.
    pub(crate) twins: Throttle<Id>,
    pub(crate) renewals: Throttle<Id>,
    pub(crate) signings: Throttle<Id>,
    pub(crate) requests: Throttle<String>,
    pub(crate) agent_bytes: Throttle<Id>,
    /// Streams of events by principal.
    pub(crate) streams: Seats<String>,
    /// Holds true from the moment the hub ends: streams close.
    pub(crate) stop: watch::Receiver<bool>,
}

impl App {
    pub(crate) fn new(shared: Shared, permissions: Permissions) -> Self {
        Self { shared: Arc::new(shared), permissions }
    }

    /// The same hub with another table of permissions.
    pub(crate) fn with_permissions(&self, permissions: Permissions) -> Self {
        Self { shared: self.shared.clone(), permissions }
    }

    pub(crate) fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The store, whose next write commits together with its entry in the audit log and the mark that the caller's
    /// idempotency key was used.
    pub(crate) fn audited(
        &self,
        caller: &Caller,
        action: &str,
        target: impl ToString,
        detail: Value,
    ) -> Store {
        let (action, target) = (action.to_owned(), target.to_string());
        let detail = by(caller, detail);
        let entry = NewAuditEntry { actor: caller.actor(), action, target, detail };
        let store = self.store.audited(entry);
        match caller.claimed() {
            Some(claimed) => store.claimed(claimed.clone()),
            None => store,
        }
    }

    /// An audit entry of its own, for what writes nothing else.
    pub(crate) async fn audit(
        &self,
        caller: &Caller,
        action: &str,
        target: &str,
        detail: Value,
    ) -> seawall_store::Result<()> {
        let (actor, detail) = (caller.actor(), by(caller, detail));
        let (action, target) = (action.to_owned(), target.to_owned());
        self.store.append_audit(&NewAuditEntry { actor, action, target, detail }).await?;
        Ok(())
    }

    /// Where browsers and agents reach the API port.
    pub(crate) fn url(&self) -> String {
        if let Some(base_url) = &self.base_url {
            return base_url.clone();
        }
        let host = match self.api_address.ip() {
            ip if ip.is_unspecified() || ip.is_loopback() => "localhost".to_owned(),
            IpAddr::V6(ip) => format!("[{ip}]"),
            ip @ IpAddr::V4(_) => ip.to_string(),
        };
        format!("https://{host}:{}", self.api_address.port())
    }

    /// A fresh id.
    pub(crate) fn id(&self) -> Id {
        self.entropy.id(self.now())
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

/// Beside the name stands the id: a name may be another's later, an id never is.
fn by(caller: &Caller, mut detail: Value) -> Value {
    if let Some(fields) = detail.as_object_mut() {
        fields.insert("principal".to_owned(), caller.key().into());
    }
    detail
}

/// Returns once the hub ends.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone has ended too.
    let _ = stop.wait_for(|stop| *stop).await;
}

//! The store: one handle for all repositories, and the transaction that every write goes through.
use crate::audit::NewAuditEntry;
use crate::db::{Connection, Db, Location, Row, Sql};
use crate::error::Result;
use crate::request::{self, Claimed};
use crate::{audit, change, migrate};
use seawall_model::scope::ScopePath;
use seawall_model::time::Clock;
use seawall_model::{Id, Millis};
use std::fmt;
use std::sync::Arc;
use tokio::sync::watch;

/// The clock and the randomness that ids are made of.
#[derive(Clone)]
pub struct Context {
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Fn() -> [u8; 10] + Send + Sync>,
}

/// A handle; clones share everything. Each trait of this crate is implemented on it.
#[derive(Clone)]
pub struct Store {
    pub(crate) shared: Arc<Shared>,
    /// Commits with the next write, see [`Store::audited`].
    entry: Option<Arc<NewAuditEntry>>,
    /// Marked as done with each write, see [`Store::claimed`].
    claim: Option<Arc<Claimed>>,
}

pub(crate) struct Shared {
    pub(crate) db: Db,
    pub(crate) context: Context,
    /// Key of the cursors' checksums; the same for every hub on this database.
    pub(crate) cursor_key: Vec<u8>,
    /// Key of the audit log's seal; a hub that runs keeps it, whatever is done to the database.
    audit_key: Vec<u8>,
    /// Newest change known.
    pub(crate) changes: watch::Sender<u64>,
    /// Listens to other hubs; ends with the store.
    listener: Option<tokio::task::JoinHandle<()>>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("db", &self.shared.db).finish_non_exhaustive()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl Store {
    /// Opens the database, brings its schema up to date and makes the root scope. Errors: `InUse`, `Directory`,
    /// `Open`, `Version`, `Migrate`.
    pub async fn open(location: &Location, context: Context) -> Result<Self> {
        let db = Db::open(location).await?;
        migrate::run(&db, context.clock.now()).await?;
        let fresh = || -> Vec<u8> { (0..4).flat_map(|_| (context.random)()).collect() };
        let cursor_key = crate::request::insert_setting(&db, "cursor-key", &fresh()).await?;
        let audit_key = audit::key(&db, &fresh()).await?;
        let changes = watch::Sender::new(change::newest(&db).await?);
        let listener = change::listen(&db, changes.clone());
        let shared = Shared { db, context, cursor_key, audit_key, changes, listener };
        let store = Self { shared: Arc::new(shared), entry: None, claim: None };
        crate::estate::ensure_root(&store).await?;
        Ok(store)
    }

    /// The same where there is a database already: `NoData` where the directory has none, and none is made.
    pub async fn open_existing(location: &Location, context: Context) -> Result<Self> {
        location.check_exists()?;
        Self::open(location, context).await
    }

    /// A handle whose write commits together with `entry`: neither is stored without the other. A call that turns out
    /// to change nothing writes no entry. Meant for one write.
    pub fn audited(&self, entry: NewAuditEntry) -> Self {
        Self { entry: Some(Arc::new(entry)), ..self.clone() }
    }

    /// A handle whose writes commit together with the mark that the claimed request was done, so that it is never run
    /// again; `Error::GivenUp` where the claim is another request's by now.
    pub fn claimed(&self, claim: Claimed) -> Self {
        Self { claim: Some(Arc::new(claim)), ..self.clone() }
    }

    /// Waits for running statements and closes all connections.
    pub async fn close(&self) {
        self.shared.db.close().await;
    }

    pub(crate) fn db(&self) -> &Db {
        &self.shared.db
    }

    pub(crate) fn audit_key(&self) -> &[u8] {
        &self.shared.audit_key
    }

    pub(crate) fn now(&self) -> Millis {
        self.shared.context.clock.now()
    }

    pub(crate) async fn begin(&self) -> Result<Tx> {
        let connection = self.db().begin().await?;
        Ok(Tx {
            now: self.now(),
            connection,
            shared: Arc::clone(&self.shared),
            changes: Vec::new(),
            entry: self.entry.clone(),
            claim: self.claim.clone(),
        })
    }
}

/// One write: rows, then the mark of its request, the audit entry and the change feed, then the commit. Dropped, it never was.
pub(crate) struct Tx {
    /// One time for everything that is written.
    pub(crate) now: Millis,
    connection: Connection,
    shared: Arc<Shared>,
    changes: Vec<NewChange>,
    entry: Option<Arc<NewAuditEntry>>,
    claim: Option<Arc<Claimed>>,
}

/// A change as it waits for its number.
#[derive(Debug)]
pub(crate) struct NewChange {
    pub(crate) noun: &'static str,
    pub(crate) id: Id,
    pub(crate) revision: u64,
    pub(crate) scope: ScopePath,
    pub(crate) namespace: Option<String>,
    /// The image by whose running places a narrowed grant sees it.
    pub(crate) image: Option<Id>,
}

impl Tx {
    pub(crate) fn db(&self) -> &Db {
        &self.shared.db
    }

    pub(crate) fn audit_key(&self) -> &[u8] {
        &self.shared.audit_key
    }

    pub(crate) fn new_id(&self) -> Id {
        Id::new(self.now, (self.shared.context.random)())
    }

    pub(crate) async fn rows(&mut self, operation: &'static str, sql: Sql) -> Result<Vec<Row>> {
        self.connection.rows(operation, sql).await
    }

    pub(crate) async fn row(&mut self, operation: &'static str, sql: Sql) -> Result<Option<Row>> {
        self.connection.row(operation, sql).await
    }

    pub(crate) async fn execute(&mut self, operation: &'static str, sql: Sql) -> Result<u64> {
        self.connection.execute(operation, sql).await
    }

    /// Holds `name` until the commit: others that ask for it wait. Take at most one, before anything else.
    pub(crate) async fn lock(&mut self, name: &str) -> Result<()> {
        if let Some(statement) = self.db().lock() {
            self.rows("lock", Sql::new(statement).text(name)).await?;
        }
        Ok(())
    }

    /// Notes a change for the feed; the last one of an object counts.
    pub(crate) fn changed(&mut self, change: NewChange) {
        self.changes.push(change);
    }

    /// Without the entry it was begun with: what happened is not what that tells of.
    pub(crate) fn unaudited(self) -> Self {
        Self { entry: None, ..self }
    }

    pub(crate) async fn commit(mut self) -> Result<()> {
        if let Some(claim) = self.claim.take() {
            request::mark_done(&mut self, &claim).await?;
        }
        if let Some(entry) = self.entry.take() {
            audit::append(&mut self, &entry).await?;
        }
        let changes = std::mem::take(&mut self.changes);
        let newest = change::write(&mut self, changes).await?;
        self.connection.commit().await?;
        if let Some(newest) = newest {
            change::raise(&self.shared.changes, newest);
        }
        Ok(())
    }
}

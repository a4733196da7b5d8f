//! The two engines behind one query layer: SQL is written once with `$N`; what differs is [`crate::dialect`].
use crate::cell::without_nul;
use crate::error::{Error, Result};
use futures::{StreamExt, TryStreamExt};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{
    AssertSqlSafe, Connection as _, PgConnection, PgPool, Postgres, Row as _, Sqlite, SqlitePool,
    Transaction,
};
use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// SQLite in this directory, which is made if it is not there.
    Directory(PathBuf),
    /// `postgres://…`
    Url(String),
}

impl FromStr for Location {
    type Err = Error;

    /// A `postgres://` or `postgresql://` URL, else a directory. Another URL is an error.
    fn from_str(text: &str) -> Result<Self> {
        match text.split_once("://") {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Url(text.to_owned())),
            Some(_) => Err(Error::Url { url: text.to_owned() }),
            None => Ok(Self::Directory(text.into())),
        }
    }
}

impl Location {
    /// A PostgreSQL database is never made by us: connecting tells.
    pub(crate) fn check_exists(&self) -> Result<()> {
        match self {
            Self::Directory(directory) if !directory.join(FILE).is_file() => {
                Err(Error::NoData { directory: directory.clone() })
            }
            Self::Directory(_) | Self::Url(_) => Ok(()),
        }
    }
}

#[derive(Debug)]
pub(crate) enum Db {
    Sqlite(SqliteDb),
    Pg(PgPool),
}

/// SQLite has one writer at a time: one connection writes, so nothing ever waits for a lock inside SQLite.
#[derive(Debug)]
pub(crate) struct SqliteDb {
    writer: SqlitePool,
    readers: SqlitePool,
    /// Held while the hub lives; the kernel lets go of it even after `kill -9`.
    _lock: File,
}

/// The database in its directory.
const FILE: &str = "seawall.db";
/// Pages are read by few at a time; more connections only cost memory.
const SQLITE_READERS: u32 = 4;
/// Half of PostgreSQL's default `max_connections` serves two hubs with room for psql.
const PG_CONNECTIONS: u32 = 24;
/// A request that cannot get a connection by then is better answered with an error.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(20);
/// A server that is there answers a first connection in milliseconds, one behind TLS and a proxy in a second.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Bytes that the write-ahead log may keep on disk after a checkpoint.
const WAL_LIMIT: &str = "67108864";
/// The first version with everything that is used (`MERGE`-free upserts, `jsonb` functions), and the tested one.
const PG_VERSION: (i64, &str) = (150_000, "15");

impl Db {
    pub(crate) async fn open(location: &Location) -> Result<Self> {
        match location {
            Location::Directory(directory) => Ok(Self::Sqlite(open_sqlite(directory).await?)),
            Location::Url(url) => open_pg(url).await.map(Self::Pg),
        }
    }

    pub(crate) async fn begin(&self) -> Result<Connection> {
        let begun = match self {
            // IMMEDIATE: a transaction that reads first must not fail when it comes to write.
            Self::Sqlite(db) => {
                db.writer.begin_with("BEGIN IMMEDIATE").await.map(Connection::Sqlite)
            }
            Self::Pg(pool) => pool.begin().await.map(Connection::Pg),
        };
        begun.map_err(|source| Error::Query { operation: "begin a transaction", source })
    }

    /// Rows of a reading statement, outside of any transaction.
    pub(crate) async fn rows(&self, operation: &'static str, sql: Sql) -> Result<Vec<Row>> {
        let rows = match self {
            Self::Sqlite(db) => {
                let rows = bound!(Sqlite, sql).fetch_all(&db.readers).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Pg(pool) => {
                let rows = bound!(Postgres, sql).fetch_all(pool).await;
                rows.map(|rows| rows.into_iter().map(Row::Pg).collect())
            }
        };
        rows.map_err(|source| Error::Query { operation, source })
    }

    /// What `read` takes of each row, the rows themselves never held together.
    pub(crate) async fn each<T>(
        &self,
        operation: &'static str,
        sql: Sql,
        read: impl Fn(&Row) -> Result<T>,
    ) -> Result<Vec<T>> {
        let failed = |source| Error::Query { operation, source };
        match self {
            Self::Sqlite(db) => {
                let rows = bound!(Sqlite, sql).fetch(&db.readers).map_err(failed);
                rows.map(|row| read(&Row::Sqlite(row?))).try_collect().await
            }
            Self::Pg(pool) => {
                let rows = bound!(Postgres, sql).fetch(pool).map_err(failed);
                rows.map(|row| read(&Row::Pg(row?))).try_collect().await
            }
        }
    }

    pub(crate) async fn row(&self, operation: &'static str, sql: Sql) -> Result<Option<Row>> {
        Ok(self.rows(operation, sql).await?.into_iter().next())
    }

    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(db) => {
                db.readers.close().await;
                db.writer.close().await;
            }
            Self::Pg(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(directory: &Path) -> Result<SqliteDb> {
    let at = |source| Error::Directory { directory: directory.to_owned(), source };
    std::fs::create_dir_all(directory).map_err(at)?;
    let lock = private_file(&directory.join("seawall.lock")).map_err(at)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            return Err(Error::InUse { directory: directory.to_owned() });
        }
        Err(std::fs::TryLockError::Error(source)) => return Err(at(source)),
    }
    let file = directory.join(FILE);
    // SQLite gives its log files the mode of the database file.
    private_file(&file).map_err(at)?;
    let options = SqliteConnectOptions::new()
        .filename(&file)
        .journal_mode(SqliteJournalMode::Wal)
        // FULL syncs the log at each commit: an agent frees its spool on our word, so a batch must survive power loss,
        // not only `kill -9`, for which NORMAL would do. Batches make it one sync for hundreds of rows.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(ACQUIRE_TIMEOUT)
        .pragma("journal_size_limit", WAL_LIMIT);
    let open = |source| Error::Open { place: file.display().to_string(), source };
    let pool = |connections| {
        SqlitePoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT)
    };
    let writer = pool(1).connect_with(options.clone()).await.map_err(open)?;
    let readers = options.pragma("query_only", "on");
    let readers = pool(SQLITE_READERS).connect_with(readers).await.map_err(open)?;
    Ok(SqliteDb { writer, readers, _lock: lock })
}

/// Readable by the owner alone: the database holds password hashes and the hub's keys.
fn private_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

async fn open_pg(url: &str) -> Result<PgPool> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| Error::Url { url: without_password(url) })?
        .application_name("seawall")
        // Compiling a plan costs more than our short queries.
        .options([("jit", "off")]);
    let open = |source| Error::Open { place: without_password(url), source };
    // The pool tries again and again until its own deadline and then forgets why: one connection tells.
    let probe = tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(&options)).await;
    let silent = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    let probe = probe.map_err(silent).and_then(|connected| connected).map_err(open)?;
    probe.close().await.map_err(open)?;
    let pool = PgPoolOptions::new()
        .max_connections(PG_CONNECTIONS)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_with(options)
        .await
        .map_err(open)?;
    let version = "SELECT CAST(current_setting('server_version_num') AS BIGINT), \
                   current_setting('server_version')";
    let row = sqlx::query(version).fetch_one(&pool).await.map_err(open)?;
    if row.get::<i64, _>(0) < PG_VERSION.0 {
        return Err(Error::Version { found: row.get(1), needed: PG_VERSION.1 });
    }
    Ok(pool)
}

/// The URL as an error may show it.
fn without_password(url: &str) -> String {
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => {
            let user = url[scheme + 3..at].split(':').next().unwrap_or_default();
            let host = url[at..].split('?').next().unwrap_or_default();
            format!("{}{user}{host}", &url[..scheme + 3])
        }
        _ => url.split('?').next().unwrap_or_default().to_owned(),
    }
}

/// A transaction; dropping it rolls back.
#[derive(Debug)]
pub(crate) enum Connection {
    Sqlite(Transaction<'static, Sqlite>),
    Pg(Transaction<'static, Postgres>),
}

impl Connection {
    pub(crate) async fn rows(&mut self, operation: &'static str, sql: Sql) -> Result<Vec<Row>> {
        let rows = match self {
            Self::Sqlite(tx) => {
                let rows = bound!(Sqlite, sql).fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Self::Pg(tx) => {
                let rows = bound!(Postgres, sql).fetch_all(&mut **tx).await;
                rows.map(|rows| rows.into_iter().map(Row::Pg).collect())
            }
        };
        rows.map_err(|source| Error::Query { operation, source })
    }

    pub(crate) async fn row(&mut self, operation: &'static str, sql: Sql) -> Result<Option<Row>> {
        Ok(self.rows(operation, sql).await?.into_iter().next())
    }

    /// Rows affected.
    pub(crate) async fn execute(&mut self, operation: &'static str, sql: Sql) -> Result<u64> {
        let done = match self {
            Self::Sqlite(tx) => {
                bound!(Sqlite, sql).execute(&mut **tx).await.map(|done| done.rows_affected())
            }
            Self::Pg(tx) => {
                bound!(Postgres, sql).execute(&mut **tx).await.map(|done| done.rows_affected())
            }
        };
        done.map_err(|source| Error::Query { operation, source })
    }

    /// Several statements without parameters: migrations.
    pub(crate) async fn script(&mut self, script: &'static str) -> sqlx::Result<()> {
        match self {
            Self::Sqlite(tx) => sqlx::raw_sql(script).execute(&mut **tx).await.map(|_| ()),
            Self::Pg(tx) => sqlx::raw_sql(script).execute(&mut **tx).await.map(|_| ()),
        }
    }

    pub(crate) async fn commit(self) -> Result<()> {
        let done = match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Pg(tx) => tx.commit().await,
        };
        done.map_err(|source| Error::Query { operation: "commit", source })
    }
}

/// A value for `$N`. The variant types an absent value, which PostgreSQL wants to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Arg {
    Text(Option<String>),
    Int(Option<i64>),
    Bytes(Vec<u8>),
}

/// A statement and its values. Text reaches the statement only from this crate; values only as `$N`.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    pub(crate) text: Cow<'static, str>,
    pub(crate) args: Vec<Arg>,
}

impl Sql {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), args: Vec::new() }
    }

    pub(crate) fn text(self, value: impl ToString) -> Self {
        self.opt_text(Some(value))
    }

    /// NUL is replaced, as in stored documents: PostgreSQL takes none.
    pub(crate) fn opt_text(mut self, value: Option<impl ToString>) -> Self {
        self.args.push(Arg::Text(value.map(|value| without_nul(value.to_string()))));
        self
    }

    pub(crate) fn int(mut self, value: i64) -> Self {
        self.args.push(Arg::Int(Some(value)));
        self
    }

    /// Counters fit `i64` for three hundred million years of nanoseconds.
    pub(crate) fn uint(self, value: u64) -> Self {
        self.int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub(crate) fn bytes(mut self, value: &[u8]) -> Self {
        self.args.push(Arg::Bytes(value.to_owned()));
        self
    }

    /// Appends text while building.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Adds a value and appends its `$N`.
    pub(crate) fn bind(&mut self, arg: Arg) -> &mut Self {
        self.args.push(arg);
        let number = self.args.len();
        self.push(&format!("${number}"))
    }

    /// Adds a value and returns its number, for text that names it elsewhere.
    pub(crate) fn number(&mut self, arg: Arg) -> usize {
        self.args.push(arg);
        self.args.len()
    }
}

#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(sqlx::sqlite::SqliteRow),
    Pg(sqlx::postgres::PgRow),
}

impl Row {
    fn get<'r, T>(&'r self, column: usize) -> T
    where
        T: sqlx::Decode<'r, Sqlite> + sqlx::Type<Sqlite>,
        T: sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres>,
    {
        // A column of another type is a statement of this crate gone wrong, which its tests run.
        match self {
            Self::Sqlite(row) => row.get(column),
            Self::Pg(row) => row.get(column),
        }
    }

    pub(crate) fn text(&self, column: usize) -> String {
        self.get(column)
    }

    pub(crate) fn opt_text(&self, column: usize) -> Option<String> {
        self.get(column)
    }

    pub(crate) fn int(&self, column: usize) -> i64 {
        self.get(column)
    }

    pub(crate) fn opt_int(&self, column: usize) -> Option<i64> {
        self.get(column)
    }

    /// A column that is never negative.
    pub(crate) fn uint(&self, column: usize) -> u64 {
        u64::try_from(self.int(column)).unwrap_or_default()
    }

    pub(crate) fn bytes(&self, column: usize) -> Vec<u8> {
        self.get(column)
    }
}

/// Binds a [`Sql`] for one engine.
macro_rules! bound {
    ($engine:ty, $sql:expr) => {{
        let Sql { text, args } = $sql;
        args.into_iter().fold(sqlx::query::<$engine>(AssertSqlSafe(text)), |query, arg| match arg {
            Arg::Text(value) => query.bind(value),
            Arg::Int(value) => query.bind(value),
            Arg::Bytes(value) => query.bind(value),
        })
    }};
}
use bound;

#[test]
fn errors_hide_the_password() {
    let check = |url, shown: &str| assert_eq!(without_password(url), shown);
    check("postgres://u:secret@h:5/db?x=y", "postgres://u@h:5/db");
    check("postgres://u:p@ss@h/db", "postgres://u@h/db");
    check("postgres:///db?password=secret", "postgres:///db");
}

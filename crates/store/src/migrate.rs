//! Schema migrations: forward only, each in one transaction, by name. A database that a newer hub migrated further is
//! accepted: schemas only expand between adjacent versions.
use crate::db::{Db, Sql};
use crate::error::{Error, Result};
use seawall_model::Millis;

pub(crate) struct Migration {
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

macro_rules! migration {
    ($name:literal) => {
        Migration {
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $name, ".sql")),
        }
    };
}

pub(crate) static ALL: &[Migration] = &[
    migration!("0001_nouns"),
    migration!("0002_relations"),
    migration!("0003_admission"),
    migration!("0004_joined"),
    migration!("0005_revocations"),
    migration!("0006_verdicts"),
    migration!("0007_policy_sets"),
    migration!("0008_not_applicable"),
    migration!("0009_node_facts"),
];

/// Two hubs may start together: the second waits, then finds nothing left to do.
pub(crate) async fn run(db: &Db, now: Millis) -> Result<()> {
    let mut tx = db.begin().await?;
    if let Some(lock) = db.lock() {
        tx.rows("lock the schema", Sql::new(lock).text("migrations")).await?;
    }
    let table = "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, at BIGINT NOT NULL)";
    tx.execute("create the table of migrations", Sql::new(table)).await?;
    let done = tx.rows("read migrations", Sql::new("SELECT name FROM migrations")).await?;
    let done: Vec<String> = done.iter().map(|row| row.text(0)).collect();
    for migration in ALL {
        let name = migration.name;
        if done.iter().any(|done| done == name) {
            continue;
        }
        let script = match db {
            Db::Sqlite(_) => migration.sqlite,
            Db::Pg(_) => migration.postgres,
        };
        tx.script(script).await.map_err(|source| Error::Migrate { name, source })?;
        let note = Sql::new("INSERT INTO migrations (name, at) VALUES ($1, $2)");
        tx.execute("note a migration", note.text(name).int(now)).await?;
    }
    tx.commit().await
}

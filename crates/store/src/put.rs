//! Writing nouns: any number of rows in one statement with one JSON parameter, the only bulk path.
use crate::cell::{Cell, cell, search_text};
use crate::db::{Db, Sql};
use crate::error::{Error, Result};
use crate::noun::{Noun, Table, document, storable};
use crate::store::Tx;
use seawall_model::Id;
use serde_json::{Value, json};

/// The version of the payloads written now.
pub(crate) const PAYLOAD_VERSION: i64 = 1;
/// Rows per statement: keeps one parameter at a few megabytes.
const CHUNK: usize = 500;

/// Inserts the nouns, or replaces those whose id exists. An extra that is null keeps what its row has.
pub(crate) async fn put<N: Noun>(tx: &mut Tx, nouns: &[N]) -> Result<()> {
    let statement = upsert(tx.db(), N::TABLE);
    write(tx, statement, nouns).await
}

/// Inserts those whose `unique` column is new; leaves the others alone.
pub(crate) async fn put_new<N: Noun>(tx: &mut Tx, nouns: &[N], unique: &str) -> Result<()> {
    let insert = insert(tx.db(), N::TABLE);
    write(tx, format!("{insert} ON CONFLICT ({unique}) DO NOTHING"), nouns).await
}

async fn write<N: Noun>(tx: &mut Tx, statement: String, nouns: &[N]) -> Result<()> {
    for chunk in nouns.chunks(CHUNK) {
        let rows: Vec<Value> = chunk.iter().map(row).collect::<Result<_>>()?;
        let sql = Sql::new(statement.clone()).text(Value::Array(rows));
        tx.execute("write objects", sql).await?;
    }
    Ok(())
}

/// A row as the array that the statement of [`upsert`] takes apart.
fn row<N: Noun>(noun: &N) -> Result<Value> {
    let table = N::TABLE;
    let document = document(noun)?;
    let payload = serde_json::to_string(&document)
        .map_err(|source| Error::Encode { noun: table.noun, source })?;
    let mut row = vec![json!(noun.id()), json!(PAYLOAD_VERSION)];
    row.push(json!(search_text(table, &document)));
    row.push(json!(payload));
    for field in table.stored() {
        row.push(match cell(field, &document) {
            Cell::Absent => Value::Null,
            Cell::Text(text) => json!(text),
            Cell::Int(number) => json!(number),
        });
    }
    let mut extras = noun.extras();
    extras.iter_mut().for_each(|extra| storable(extra, 0));
    debug_assert_eq!(extras.len(), table.extras.len(), "{}", table.noun);
    row.extend(extras);
    Ok(Value::Array(row))
}

/// Columns in the order of [`row`], and whether they hold integers.
fn columns(table: &Table) -> Vec<(&'static str, bool)> {
    let mut columns = vec![("id", false), ("version", true), ("search", false), ("payload", false)];
    columns.extend(table.stored().map(|field| (field.column, field.kind.is_integer())));
    columns.extend(table.extras.iter().map(|extra| (extra.column, extra.integer)));
    columns
}

fn insert(db: &Db, table: &Table) -> String {
    let columns = columns(table);
    let value = |(position, &(_, integer)): (usize, &(&str, bool))| match integer {
        true => format!("CAST(r.value ->> {position} AS BIGINT)"),
        false => format!("r.value ->> {position}"),
    };
    let values: Vec<String> = columns.iter().enumerate().map(value).collect();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM {} WHERE true",
        table.plural,
        names.join(", "),
        values.join(", "),
        db.elements(1)
    )
}

fn upsert(db: &Db, table: &Table) -> String {
    let plural = table.plural;
    let is_extra = |name: &str| table.extras.iter().any(|extra| extra.column == name);
    let set = |&(name, _): &(&str, bool)| match is_extra(name) {
        true => format!("{name} = coalesce(excluded.{name}, {plural}.{name})"),
        false => format!("{name} = excluded.{name}"),
    };
    let set: Vec<String> = columns(table)[1..].iter().map(set).collect();
    format!("{} ON CONFLICT (id) DO UPDATE SET {}", insert(db, table), set.join(", "))
}

/// Ids as the JSON array that [`Db::texts`] reads.
pub(crate) fn id_array(ids: impl IntoIterator<Item = Id>) -> String {
    Value::Array(ids.into_iter().map(|id| json!(id)).collect()).to_string()
}

/// Removes rows by id.
pub(crate) async fn remove<N: Noun>(tx: &mut Tx, ids: &[Id]) -> Result<u64> {
    let mut gone = 0;
    for chunk in ids.chunks(CHUNK) {
        let texts = tx.db().texts(1);
        let sql = format!("DELETE FROM {} WHERE id IN {texts}", N::TABLE.plural);
        let sql = Sql::new(sql).text(id_array(chunk.iter().copied()));
        gone += tx.execute("remove objects", sql).await?;
    }
    Ok(gone)
}

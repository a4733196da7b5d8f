//! Reading: lists, single objects, counts, facets, exports and search, the same for every noun.
use crate::cell::{Cell, display};
use crate::cursor::{Cursor, List};
use crate::db::{Arg, Db, Row, Sql};
use crate::error::{Error, Result};
use crate::filter::{Filter, Node, fold, nearest, push_filter};
use crate::noun::{Field, Kind, Noun, Table};
use crate::put::{PAYLOAD_VERSION, id_array};
use crate::store::{Store, Tx};
use crate::visible::{Visible, push_clause};
use futures::Stream;
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis, Severity};
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};

/// One page of a list.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The filter language; empty matches everything.
    pub filter: String,
    /// A condition of the asking code in the same language, which has to fit as well. A text of its own, not joined
    /// with `filter`: no parenthesis there can get out of it, and places in errors are those of `filter`.
    pub within: String,
    /// A field, `-field` for descending; `None` is the noun's default.
    pub sort: Option<String>,
    /// 0 is [`DEFAULT_LIMIT`]; more than [`MAX_LIMIT`] is cut to it.
    pub limit: u32,
    /// `next` of the page before.
    pub after: Option<String>,
}

pub const DEFAULT_LIMIT: u32 = 50;
/// Rows of a page.
pub const MAX_LIMIT: u32 = 500;
/// Stored bytes of a page, which ends before its limit where it would be over: one record of an agent may have 3 MiB.
const MAX_PAGE_BYTES: usize = 8 << 20;
/// Counting stops here: past it a total is "at least", and a page stays fast.
pub const MAX_EXACT_TOTAL: u64 = 10_000;

#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Cursor of the next page; `None` at the end.
    pub next: Option<String>,
    pub total: Total,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Total {
    pub value: u64,
    /// False where counting stopped at [`MAX_EXACT_TOTAL`].
    pub exact: bool,
}

/// One value of a field with how many rows have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Facet {
    /// As the filter takes it; `None` is absent.
    pub value: Option<String>,
    pub count: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Hit {
    pub noun: &'static str,
    pub id: Id,
    pub title: String,
    pub subtitle: String,
    pub severity: Option<Severity>,
}

pub trait Reads {
    /// Errors: `Filter`, `Sort`, `Cursor`.
    async fn list<N: Noun>(&self, visible: &Visible, query: &Query) -> Result<Page<N>>;
    /// `None` when it is unknown or not visible: a caller cannot tell the two apart.
    async fn get<N: Noun>(&self, visible: &Visible, id: Id) -> Result<Option<N>>;
    /// Exact.
    async fn count<N: Noun>(&self, visible: &Visible, filter: &str) -> Result<u64>;
    /// The most frequent values of `field`, at most `limit`.
    async fn facet<N: Noun>(
        &self,
        visible: &Visible,
        filter: &str,
        field: &str,
        limit: u32,
    ) -> Result<Vec<Facet>>;
    /// Every row that matches when it begins and is still there when it is read, once, in the order of that beginning,
    /// whatever arrives or changes meanwhile. No long transaction, no bound: limit and cursor of `query` are not looked
    /// at, and only the ids are held, 16 bytes a row.
    fn export<N: Noun>(
        &self,
        visible: Visible,
        query: Query,
    ) -> impl Stream<Item = Result<N>> + Send;
    /// Objects of every noun that hold all words of `text`, a few of each noun.
    async fn search(&self, visible: &Visible, text: &str, limit: u32) -> Result<Vec<Hit>>;
}

/// How a list is ordered; the id breaks ties.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sort {
    pub(crate) field: &'static Field,
    pub(crate) descending: bool,
}

pub(crate) fn sort_of(table: &'static Table, text: &str) -> Result<Sort> {
    let (name, descending) = match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    };
    let sortable = |field: &&Field| !matches!(field.kind, Kind::List);
    let field = table.field(name).filter(sortable).ok_or_else(|| {
        let names = table.fields.iter().filter(sortable).map(|field| field.name);
        Error::Sort { field: name.to_owned(), nearest: nearest(name, names) }
    })?;
    Ok(Sort { field, descending })
}

/// The columns every reader takes: id, version, payload, then the live ones.
fn selected(table: &Table) -> String {
    let live = table.fields.iter().filter(|field| field.live);
    let live: String = live.map(|field| format!(", t.{}", field.column)).collect();
    format!("t.id, t.version, t.payload{live}")
}

/// An id in a column.
pub(crate) fn id(row: &Row, column: usize) -> Result<Id> {
    word("id", &row.text(column))
}

/// A scope path in a column.
pub(crate) fn parsed(noun: &'static str, path: &str) -> Result<ScopePath> {
    word(noun, path)
}

/// A column's text as the value whose JSON is that string.
pub(crate) fn word<T: DeserializeOwned>(noun: &'static str, text: &str) -> Result<T> {
    serde_json::from_value(json!(text)).map_err(|source| Error::Payload {
        noun,
        id: text.to_owned(),
        version: PAYLOAD_VERSION,
        source,
    })
}

/// The noun of a row that [`selected`] read.
pub(crate) fn decode<N: Noun>(row: &Row) -> Result<N> {
    let table = N::TABLE;
    let version = row.int(1);
    let fail = |source| Error::Payload { noun: table.noun, id: row.text(0), version, source };
    if version != PAYLOAD_VERSION {
        return Err(fail(serde_json::Error::custom("a newer hub wrote it")));
    }
    let mut document: Value = serde_json::from_str(&row.text(2)).map_err(fail)?;
    let live = table.fields.iter().filter(|field| field.live);
    for (position, field) in live.enumerate() {
        let value = row.opt_int(3 + position);
        // Live fields stand at the top of the document.
        if let Some(slot) = document.get_mut(&field.pointer[1..]) {
            *slot = match (field.kind, value) {
                (Kind::Bool, Some(set)) => json!(set != 0),
                (_, Some(number)) => json!(number),
                (_, None) => Value::Null,
            };
        }
    }
    serde_json::from_value(document).map_err(fail)
}

/// `SELECT … FROM … t WHERE `, to go on from.
pub(crate) fn select_of<N: Noun>() -> Sql {
    Sql::new(format!("SELECT {} FROM {} t WHERE ", selected(N::TABLE), N::TABLE.plural))
}

/// How many of these rows fit a page; the first one always does.
fn fitting(rows: &[Row]) -> usize {
    let mut bytes = 0;
    let over = rows.iter().position(|row| {
        bytes += row.text(2).len();
        bytes > MAX_PAGE_BYTES
    });
    over.map_or(rows.len(), |over| over.max(1))
}

fn cell_of(kind: Kind, row: &Row, column: usize) -> Cell {
    match kind.is_integer() {
        true => row.opt_int(column).map_or(Cell::Absent, Cell::Int),
        false => row.opt_text(column).map_or(Cell::Absent, Cell::Text),
    }
}

/// ` FROM … WHERE` what is visible and matches.
fn push_matching(db: &Db, sql: &mut Sql, table: &Table, visible: &Visible, filter: &Filter) {
    sql.push(&format!(" FROM {} t WHERE ", table.plural));
    push_clause(db, sql, visible, table.narrowing);
    sql.push(" AND ");
    push_filter(db, sql, &filter.root);
}

/// Rows after the cursor in this order.
fn push_after(sql: &mut Sql, sort: Sort, cursor: &Cursor) {
    let column = format!("t.{}", sort.field.column);
    let beyond = if sort.descending { "<" } else { ">" };
    let id = || Arg::Text(Some(cursor.id.to_string()));
    let value = match cursor.cell() {
        Cell::Absent => {
            sql.push(&format!(" AND {column} IS NULL AND t.id {beyond} ")).bind(id());
            return;
        }
        Cell::Text(text) => Arg::Text(Some(text)),
        Cell::Int(number) => Arg::Int(Some(number)),
    };
    if sort.field.required {
        sql.push(&format!(" AND ({column}, t.id) {beyond} (")).bind(value);
        sql.push(", ").bind(id()).push(")");
        return;
    }
    let number = sql.number(value);
    sql.push(&format!(" AND ({column} {beyond} ${number} OR {column} IS NULL OR "));
    sql.push(&format!("({column} = ${number} AND t.id {beyond} ")).bind(id()).push("))");
}

fn push_order(sql: &mut Sql, sort: Sort) {
    let column = format!("t.{}", sort.field.column);
    let direction = if sort.descending { "DESC" } else { "ASC" };
    sql.push(" ORDER BY ");
    if !sort.field.required {
        // The engines place NULL differently; absent comes last in both.
        sql.push(&format!("{column} IS NULL, "));
    }
    sql.push(&format!("{column} {direction}, t.id {direction}"));
}

/// Both filters of the query.
fn filter_of(table: &'static Table, query: &Query, now: Millis) -> Result<Filter> {
    let mut filter = Filter::for_table(table, &query.filter, now)?;
    if !query.within.is_empty() {
        let within = Filter::for_table(table, &query.within, now)?;
        filter.root = Node::All(vec![within.root, filter.root]);
    }
    Ok(filter)
}

fn refuse_whole(filter: &Filter, sort: Option<Sort>, visible: &Visible) -> Result<()> {
    let sorted = sort.map(|sort| sort.field).filter(|field| field.whole && visible.is_narrowed());
    match filter.refused(visible).or(sorted) {
        None => Ok(()),
        Some(field) => Err(Error::Invalid {
            field: "filter",
            message: format!(
                "`{}` counts all namespaces of a scope; your role shows only some of them",
                field.name
            ),
        }),
    }
}

impl Store {
    async fn page<N: Noun>(
        &self,
        visible: &Visible,
        query: &Query,
        total: bool,
    ) -> Result<Page<N>> {
        let (table, db) = (N::TABLE, self.db());
        let sort_text = query.sort.as_deref().unwrap_or(table.default_sort);
        let sort = sort_of(table, sort_text)?;
        let list = List {
            key: &self.shared.cursor_key,
            noun: table.noun,
            filter: &[query.within.as_str(), &query.filter].join("\u{1f}"),
            sort: sort_text,
        };
        let cursor = query.after.as_deref().map(|after| Cursor::open(after, &list)).transpose()?;
        let now = cursor.as_ref().map_or_else(|| self.now(), |cursor| cursor.now);
        let filter = filter_of(table, query, now)?;
        refuse_whole(&filter, Some(sort), visible)?;
        let limit = match query.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };

        let mut sql = Sql::new(format!("SELECT {}, t.{}", selected(table), sort.field.column));
        push_matching(db, &mut sql, table, visible, &filter);
        if let Some(cursor) = &cursor {
            push_after(&mut sql, sort, cursor);
        }
        push_order(&mut sql, sort);
        sql.push(" LIMIT ").bind(Arg::Int(Some(i64::from(limit) + 1)));
        let rows = db.rows("list objects", sql).await?;

        let shown = &rows[..fitting(&rows).min(limit as usize)];
        let mut items: Vec<N> = shown.iter().map(decode).collect::<Result<_>>()?;
        N::hydrate(self, visible, &mut items).await?;
        let column = 3 + table.fields.iter().filter(|field| field.live).count();
        let next = match shown.last() {
            Some(last) if rows.len() > shown.len() => {
                let (text, int) = match cell_of(sort.field.kind, last, column) {
                    Cell::Absent => (None, None),
                    Cell::Text(text) => (Some(text), None),
                    Cell::Int(number) => (None, Some(number)),
                };
                Some(Cursor { id: id(last, 0)?, text, int, now }.seal(&list)?)
            }
            _ => None,
        };
        let total = match (total, &cursor, &next) {
            (false, ..) => Total { value: 0, exact: false },
            // All there is was just read.
            (true, None, None) => Total { value: items.len() as u64, exact: true },
            _ => self.total(table, visible, &filter).await?,
        };
        Ok(Page { items, next, total })
    }

    /// The ids of all that matches now, in order.
    async fn ids_matching<N: Noun>(
        &self,
        visible: &Visible,
        query: &Query,
    ) -> Result<VecDeque<Id>> {
        let (table, db) = (N::TABLE, self.db());
        let sort = sort_of(table, query.sort.as_deref().unwrap_or(table.default_sort))?;
        let filter = filter_of(table, query, self.now())?;
        refuse_whole(&filter, Some(sort), visible)?;
        let mut sql = Sql::new("SELECT t.id");
        push_matching(db, &mut sql, table, visible, &filter);
        push_order(&mut sql, sort);
        Ok(db.each("list ids", sql, |row| id(row, 0)).await?.into())
    }

    /// Those of these objects that are still there and visible, in this order.
    async fn these<N: Noun>(&self, visible: &Visible, ids: &[Id]) -> Result<Vec<N>> {
        let mut sql = select_of::<N>();
        let number = sql.number(Arg::Text(Some(id_array(ids.iter().copied()))));
        sql.push("t.id IN ").push(&self.db().texts(number)).push(" AND ");
        push_clause(self.db(), &mut sql, visible, N::TABLE.narrowing);
        let rows = self.db().rows("read objects of an export", sql).await?;
        let mut items: Vec<N> = rows.iter().map(decode).collect::<Result<_>>()?;
        let order: HashMap<Id, usize> = ids.iter().copied().zip(0..).collect();
        items.sort_unstable_by_key(|item| order.get(&item.id()).copied());
        N::hydrate(self, visible, &mut items).await?;
        Ok(items)
    }

    async fn total(&self, table: &Table, visible: &Visible, filter: &Filter) -> Result<Total> {
        let mut sql = Sql::new("SELECT count(*) FROM (SELECT 1");
        push_matching(self.db(), &mut sql, table, visible, filter);
        sql.push(" LIMIT ").bind(Arg::Int(i64::try_from(MAX_EXACT_TOTAL + 1).ok()));
        sql.push(") AS counted");
        let row = self.db().row("count objects", sql).await?;
        let counted = row.map_or(0, |row| row.uint(0));
        Ok(Total { value: counted.min(MAX_EXACT_TOTAL), exact: counted <= MAX_EXACT_TOTAL })
    }

    async fn hits<N>(&self, visible: &Visible, words: &[String], limit: u32) -> Result<Vec<Hit>>
    where
        N: Noun + Titled,
    {
        let (table, db) = (N::TABLE, self.db());
        let mut sql = select_of::<N>();
        push_clause(db, &mut sql, visible, table.narrowing);
        for word in words {
            let number = sql.number(Arg::Text(Some(word.clone())));
            sql.push(" AND ").push(&db.contains("t.search", number));
        }
        push_order(&mut sql, sort_of(table, table.default_sort)?);
        sql.push(" LIMIT ").bind(Arg::Int(Some(i64::from(limit))));
        let rows = db.rows("search objects", sql).await?;
        let hit = |row: &Row| {
            let item: N = decode(row)?;
            let (title, subtitle, severity) = item.title();
            Ok(Hit { noun: table.noun, id: item.id(), title, subtitle, severity })
        };
        rows.iter().map(hit).collect()
    }
}

/// A noun that search shows: title, subtitle, severity.
pub(crate) trait Titled {
    fn title(&self) -> (String, String, Option<Severity>);
}

/// The noun within a transaction, held until it commits.
pub(crate) async fn fetch<N: Noun>(tx: &mut Tx, visible: &Visible, id: Id) -> Result<Option<N>> {
    let mut sql = one::<N>(tx.db(), visible, id);
    sql.push(tx.db().for_update());
    let row = tx.row("read an object to change it", sql).await?;
    row.as_ref().map(decode).transpose()
}

/// Objects by a condition on `t` whose `$1` is `arg`; by id, held until the commit.
pub(crate) async fn fetch_where<N: Noun>(
    tx: &mut Tx,
    condition: &str,
    arg: impl ToString,
) -> Result<Vec<N>> {
    let mut sql = select_of::<N>().text(arg);
    sql.push(condition).push(" ORDER BY t.id").push(tx.db().for_update());
    let rows = tx.rows("read objects to change them", sql).await?;
    rows.iter().map(decode).collect()
}

/// The same outside of a transaction.
pub(crate) async fn read_where<N: Noun>(
    db: &Db,
    condition: &str,
    arg: impl ToString,
) -> Result<Vec<N>> {
    let mut sql = select_of::<N>().text(arg);
    sql.push(condition).push(" ORDER BY t.id");
    let rows = db.rows("read objects", sql).await?;
    rows.iter().map(decode).collect()
}

fn one<N: Noun>(db: &Db, visible: &Visible, id: Id) -> Sql {
    let mut sql = select_of::<N>();
    sql.push("t.id = ").bind(Arg::Text(Some(id.to_string()))).push(" AND ");
    push_clause(db, &mut sql, visible, N::TABLE.narrowing);
    sql
}

impl Reads for Store {
    async fn list<N: Noun>(&self, visible: &Visible, query: &Query) -> Result<Page<N>> {
        self.page(visible, query, true).await
    }

    async fn get<N: Noun>(&self, visible: &Visible, id: Id) -> Result<Option<N>> {
        let sql = one::<N>(self.db(), visible, id);
        let Some(row) = self.db().row("read an object", sql).await? else { return Ok(None) };
        let mut items = [decode::<N>(&row)?];
        N::hydrate(self, visible, &mut items).await?;
        let [item] = items;
        Ok(Some(item))
    }

    async fn count<N: Noun>(&self, visible: &Visible, filter: &str) -> Result<u64> {
        let filter = Filter::parse::<N>(filter, self.now())?;
        refuse_whole(&filter, None, visible)?;
        let mut sql = Sql::new("SELECT count(*)");
        push_matching(self.db(), &mut sql, N::TABLE, visible, &filter);
        Ok(self.db().row("count objects", sql).await?.map_or(0, |row| row.uint(0)))
    }

    async fn facet<N: Noun>(
        &self,
        visible: &Visible,
        filter: &str,
        field: &str,
        limit: u32,
    ) -> Result<Vec<Facet>> {
        let filter = Filter::parse::<N>(filter, self.now())?;
        // What can be sorted by can be grouped by.
        let sort = sort_of(N::TABLE, field)?;
        refuse_whole(&filter, Some(sort), visible)?;
        let column = sort.field.column;
        let mut sql = Sql::new(format!("SELECT t.{column}, count(*)"));
        push_matching(self.db(), &mut sql, N::TABLE, visible, &filter);
        sql.push(&format!(
            " GROUP BY t.{column} ORDER BY count(*) DESC, t.{column} IS NULL, t.{column}"
        ));
        sql.push(" LIMIT ").bind(Arg::Int(Some(i64::from(limit))));
        let rows = self.db().rows("count by value", sql).await?;
        let facet = |row: &Row| Facet {
            value: display(sort.field.kind, &cell_of(sort.field.kind, row, 0)),
            count: row.uint(1),
        };
        Ok(rows.iter().map(facet).collect())
    }

    fn export<N: Noun>(
        &self,
        visible: Visible,
        query: Query,
    ) -> impl Stream<Item = Result<N>> + Send {
        // A cursor would lose rows: what an alert is sorted by moves with every firing.
        let state = (self.clone(), visible, query, None);
        let pages = futures::stream::try_unfold(state, |(store, visible, query, ids)| async move {
            let mut ids = match ids {
                Some(ids) => ids,
                None => store.ids_matching::<N>(&visible, &query).await?,
            };
            let page: Vec<Id> = ids.drain(..ids.len().min(MAX_LIMIT as usize)).collect();
            if page.is_empty() {
                return Ok::<_, Error>(None);
            }
            let items = store.these::<N>(&visible, &page).await?;
            let items = futures::stream::iter(items.into_iter().map(Ok));
            Ok(Some((items, (store, visible, query, Some(ids)))))
        });
        futures::TryStreamExt::try_flatten(pages)
    }

    async fn search(&self, visible: &Visible, text: &str, limit: u32) -> Result<Vec<Hit>> {
        let words: Vec<String> = text
            .split_whitespace()
            .take(MAX_SEARCH_WORDS)
            .map(|word| fold(&word.replace('\0', "")))
            .collect();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let limit = limit.clamp(1, MAX_LIMIT);
        let mut hits = self.hits::<seawall_model::alert::Alert>(visible, &words, limit).await?;
        hits.extend(
            self.hits::<seawall_model::recommendation::Recommendation>(visible, &words, limit)
                .await?,
        );
        hits.extend(self.hits::<crate::Image>(visible, &words, limit).await?);
        hits.extend(self.hits::<seawall_model::asset::Asset>(visible, &words, limit).await?);
        hits.extend(self.hits::<crate::PackageVersion>(visible, &words, limit).await?);
        hits.extend(self.hits::<seawall_model::finding::Finding>(visible, &words, limit).await?);
        hits.extend(self.hits::<seawall_model::asset::Cluster>(visible, &words, limit).await?);
        hits.extend(
            self.hits::<seawall_model::exemption::Exemption>(visible, &words, limit).await?,
        );
        hits.extend(self.hits::<crate::PolicySetEntry>(visible, &words, limit).await?);
        Ok(hits)
    }
}

/// Further words of a search are left out; each costs a scan.
const MAX_SEARCH_WORDS: usize = 8;

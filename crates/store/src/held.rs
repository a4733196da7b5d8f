//! Lists that are held in memory, such as built-in content: filter, sort and pages as the database has them.
use crate::cell::{Cell, cell};
use crate::cursor::{Cursor, List};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::list::{DEFAULT_LIMIT, MAX_LIMIT, Page, Query, Total, sort_of};
use crate::noun::Table;
use crate::store::Store;
use seawall_model::{Id, Millis};
use serde_json::Value;
use std::cmp::Ordering;

impl Store {
    /// A page of `items`, which are all there are. Errors: `Filter`, `Sort`, `Cursor`.
    pub fn page_of(
        &self,
        table: &'static Table,
        items: Vec<Value>,
        query: &Query,
    ) -> Result<Page<Value>> {
        let sort = query.sort.as_deref().unwrap_or(table.default_sort);
        let (key, filter) = (&self.shared.cursor_key, &query.filter);
        let list = List { key, noun: table.noun, filter, sort };
        let cursor = query.after.as_deref().map(|after| Cursor::open(after, &list)).transpose()?;
        let now = cursor.as_ref().map_or_else(|| self.now(), |cursor| cursor.now);
        let mut items = matching(table, items, query, now)?;
        let total = Total { value: items.len() as u64, exact: true };
        let limit = match query.limit {
            0 => DEFAULT_LIMIT,
            limit => limit.min(MAX_LIMIT),
        };
        // Such a list changes with the hub's version or an inventory, not between two pages: its cursor is a position.
        let start = cursor.and_then(|cursor| usize::try_from(cursor.int?).ok()).unwrap_or_default();
        let end = start.saturating_add(limit as usize);
        let next = match i64::try_from(end) {
            Ok(position) if end < items.len() => {
                let (id, int) = (Id::new(0, [0; 10]), Some(position));
                Some(Cursor { id, text: None, int, now }.seal(&list)?)
            }
            _ => None,
        };
        items.truncate(end);
        Ok(Page { items: items.split_off(start.min(items.len())), next, total })
    }

    /// All of `items` that the query's filter matches, in its order. Errors: `Filter`, `Sort`.
    pub fn matching(
        &self,
        table: &'static Table,
        items: Vec<Value>,
        query: &Query,
    ) -> Result<Vec<Value>> {
        matching(table, items, query, self.now())
    }
}

fn matching(
    table: &'static Table,
    mut items: Vec<Value>,
    query: &Query,
    now: Millis,
) -> Result<Vec<Value>> {
    let sort = sort_of(table, query.sort.as_deref().unwrap_or(table.default_sort))?;
    let filter = Filter::for_table(table, &query.filter, now).map_err(Error::Filter)?;
    items.retain(|item| filter.matches_held(table, item));
    // Stable: what is equal stays in the list's own order.
    items.sort_by(|a, b| order(&cell(sort.field, a), &cell(sort.field, b), sort.descending));
    Ok(items)
}

/// Absent comes last in both directions.
fn order(a: &Cell, b: &Cell, descending: bool) -> Ordering {
    let order = match (a, b) {
        (Cell::Absent, Cell::Absent) => Ordering::Equal,
        (Cell::Absent, _) => return Ordering::Greater,
        (_, Cell::Absent) => return Ordering::Less,
        (Cell::Text(a), Cell::Text(b)) => a.cmp(b),
        (Cell::Int(a), Cell::Int(b)) => a.cmp(b),
        // The cells of one field are of one kind.
        (Cell::Text(_), Cell::Int(_)) | (Cell::Int(_), Cell::Text(_)) => Ordering::Equal,
    };
    if descending { order.reverse() } else { order }
}

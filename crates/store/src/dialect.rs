//! The six places where the engines' SQL differs.
use crate::db::Db;

impl Db {
    /// Bulk insert: a table `r(value)` of the elements of the JSON array in `$number`.
    pub(crate) fn elements(&self, number: usize) -> String {
        match self {
            Self::Sqlite(_) => format!("json_each(${number}) AS r"),
            Self::Pg(_) => format!("jsonb_array_elements(CAST(${number} AS jsonb)) AS r(value)"),
        }
    }

    /// Membership: a subquery of the texts of the JSON array in `$number`.
    pub(crate) fn texts(&self, number: usize) -> String {
        match self {
            Self::Sqlite(_) => format!("(SELECT value FROM json_each(${number}))"),
            Self::Pg(_) => {
                format!("(SELECT * FROM jsonb_array_elements_text(CAST(${number} AS jsonb)))")
            }
        }
    }

    /// Text search: whether `column` holds the text in `$number`, byte for byte.
    pub(crate) fn contains(&self, column: &str, number: usize) -> String {
        match self {
            Self::Sqlite(_) => format!("instr({column}, ${number}) > 0"),
            Self::Pg(_) => format!("strpos({column}, ${number}) > 0"),
        }
    }

    /// Claim: rows read to be written back are held until the commit. SQLite has one writer.
    pub(crate) fn for_update(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "",
            Self::Pg(_) => " FOR UPDATE",
        }
    }

    /// Lock: a statement that holds the name in `$1` until the commit; none where there is one writer.
    pub(crate) fn lock(&self) -> Option<&'static str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Pg(_) => {
                Some("SELECT CAST(pg_advisory_xact_lock(hashtextextended($1, 0)) AS TEXT)")
            }
        }
    }

    /// Notify: a statement that tells other hubs the newest change in `$1`; there are none on SQLite.
    pub(crate) fn notify(&self) -> Option<&'static str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Pg(_) => Some("SELECT CAST(pg_notify('seawall_changes', $1) AS TEXT)"),
        }
    }
}

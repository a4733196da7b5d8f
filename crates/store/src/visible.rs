//! What a caller may see: path ranges, each whole or narrowed to namespaces.
use crate::db::{Arg, Db, Sql};
use crate::noun::Narrowing;
use seawall_model::access::RoleAssignment;
use seawall_model::scope::ScopePath;
use std::collections::{BTreeMap, BTreeSet};

/// Every list, export, search, get and stream demands one. There is no public way to make one but
/// [`Visible::of`] (the authorisation layer) and [`Visible::system`] (background work without a caller).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visible {
    /// Sorted by path; a path below another whole grant is folded into it.
    grants: Vec<Grant>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) path: ScopePath,
    /// `None` is every namespace and what lies outside of namespaces.
    pub(crate) namespaces: Option<BTreeSet<String>>,
}

impl Visible {
    /// What the assignments show together: grants add up, none takes away. No assignment shows nothing.
    pub fn of(assignments: &[RoleAssignment]) -> Self {
        let mut by_path: BTreeMap<&ScopePath, Option<BTreeSet<String>>> = BTreeMap::new();
        for assignment in assignments {
            let namespaces: Option<BTreeSet<String>> =
                assignment.namespaces.as_ref().map(|names| names.iter().cloned().collect());
            by_path
                .entry(&assignment.scope)
                .and_modify(|have| match (have.as_mut(), &namespaces) {
                    (Some(have), Some(more)) => have.extend(more.iter().cloned()),
                    _ => *have = None,
                })
                .or_insert(namespaces);
        }
        let mut grants: Vec<Grant> = Vec::new();
        for (path, namespaces) in by_path {
            let covered = |whole: &Grant| whole.namespaces.is_none() && path.is_within(&whole.path);
            if !grants.iter().any(covered) {
                grants.push(Grant { path: path.clone(), namespaces });
            }
        }
        Self { grants }
    }

    /// Everything: reconcilers, ingest and start-up, never a request.
    pub fn system() -> Self {
        Self { grants: vec![Grant { path: ScopePath::root(), namespaces: None }] }
    }

    /// Whether a whole grant covers `scope`: scores and counts of the scope may be shown.
    pub fn covers(&self, scope: &ScopePath) -> bool {
        self.grants.iter().any(|grant| grant.namespaces.is_none() && scope.is_within(&grant.path))
    }

    /// Whether something at `scope` in `namespace` is shown.
    pub fn shows(&self, scope: &ScopePath, namespace: Option<&str>) -> bool {
        self.grants.iter().any(|grant| {
            scope.is_within(&grant.path)
                && match (&grant.namespaces, namespace) {
                    (None, _) => true,
                    (Some(names), Some(namespace)) => names.contains(namespace),
                    (Some(_), None) => false,
                }
        })
    }

    /// Whether some grant, also a narrowed one, covers the place `scope`.
    pub fn touches(&self, scope: &ScopePath) -> bool {
        self.grants.iter().any(|grant| scope.is_within(&grant.path))
    }

    /// Whether it shows nothing at all.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    /// Whether some grant is narrowed to namespaces.
    pub fn is_narrowed(&self) -> bool {
        self.grants.iter().any(|grant| grant.namespaces.is_some())
    }
}

/// Appends the condition under which the row `t` of a table with this narrowing is shown; in parentheses.
pub(crate) fn push_clause(db: &Db, sql: &mut Sql, visible: &Visible, narrowing: Narrowing) {
    let holdings = narrowing == Narrowing::Holdings;
    if holdings {
        sql.push("EXISTS (SELECT 1 FROM holdings h WHERE h.package = t.id AND ");
    }
    let row = if holdings { "h" } else { "t" };
    push_grants(db, sql, visible, narrowing, row);
    if holdings {
        sql.push(")");
    }
}

/// The same for a row under another name.
pub(crate) fn push_grants(
    db: &Db,
    sql: &mut Sql,
    visible: &Visible,
    narrowing: Narrowing,
    row: &str,
) {
    if visible.grants.is_empty() {
        sql.push("(1 = 0)");
        return;
    }
    for (position, grant) in visible.grants.iter().enumerate() {
        sql.push(if position == 0 { "(" } else { " OR " });
        // Every scope lies below the root: no need to look.
        if grant.path == ScopePath::root() {
            sql.push("(1 = 1");
        } else {
            sql.push(&format!("({row}.scope >= ")).bind(text(grant.path.as_str()));
            sql.push(&format!(" AND {row}.scope < ")).bind(text(&grant.path.upper()));
        }
        if let Some(names) = &grant.namespaces {
            let names = serde_json::json!(names).to_string();
            let names = db.texts(sql.number(text(&names)));
            sql.push(" AND ").push(&narrowed(narrowing, row, &names));
        }
        sql.push(")");
    }
    sql.push(")");
}

fn text(value: &str) -> Arg {
    Arg::Text(Some(value.to_owned()))
}

/// What a narrowed grant shows; `names` is the subquery of its namespaces.
fn narrowed(narrowing: Narrowing, row: &str, names: &str) -> String {
    let runs = |image: String| {
        format!(
            "EXISTS (SELECT 1 FROM running u WHERE u.image = {image} AND u.namespace IN {names})"
        )
    };
    let own = |row: &str| format!("{row}.namespace IN {names}");
    match narrowing {
        Narrowing::Namespace => own(row),
        Narrowing::Running => runs(format!("{row}.id")),
        Narrowing::Change => format!(
            "({row}.noun IN ('cluster', 'scope') OR {} OR {})",
            own(row),
            runs(format!("{row}.image"))
        ),
        Narrowing::NamespaceOrRunning => {
            format!("({} OR {})", own(row), runs(format!("{row}.image")))
        }
        Narrowing::Findings => format!(
            "EXISTS (SELECT 1 FROM findings f WHERE f.scope = {row}.scope AND f.work = {row}.rule \
             AND ({} OR {}))",
            own("f"),
            runs("f.image".to_owned())
        ),
        Narrowing::Holdings => runs(format!("{row}.image")),
        Narrowing::Place => "1 = 1".to_owned(),
        Narrowing::Nothing => "1 = 0".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::Id;
    use seawall_model::access::{Principal, Role};

    fn grant(scope: &str, namespaces: Option<&[&str]>) -> RoleAssignment {
        RoleAssignment {
            id: Id::new(1, [0; 10]),
            principal: Principal::Group { name: "g".to_owned() },
            role: Role::SecurityReader,
            scope: scope.parse().unwrap(),
            namespaces: namespaces.map(|names| names.iter().map(|&n| n.to_owned()).collect()),
            created: 0,
        }
    }

    #[track_caller]
    fn check(grants: &[RoleAssignment], scope: &str, namespace: Option<&str>, shown: bool) {
        let visible = Visible::of(grants);
        assert_eq!(visible.shows(&scope.parse().unwrap(), namespace), shown, "{visible:?}");
    }

    #[test]
    fn grants_add_up() {
        let whole = grant("/org/a/", None);
        let narrow = grant("/org/a/c/", Some(&["shop"]));
        let other = grant("/org/b/", Some(&["x"]));
        check(&[], "/org/", None, false);
        check(std::slice::from_ref(&narrow), "/org/a/c/", Some("shop"), true);
        check(std::slice::from_ref(&narrow), "/org/a/c/", Some("bank"), false);
        check(std::slice::from_ref(&narrow), "/org/a/c/", None, false);
        check(&[narrow.clone(), other.clone()], "/org/b/", Some("x"), true);
        check(&[narrow.clone(), other], "/org/b/", Some("shop"), false);
        check(&[narrow.clone(), whole.clone()], "/org/a/c/", None, true);
        check(&[narrow.clone(), whole], "/org/ab/", None, false);
        let wider = grant("/org/a/c/", Some(&["bank"]));
        check(&[narrow, wider], "/org/a/c/", Some("bank"), true);
    }
}

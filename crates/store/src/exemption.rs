//! Exemptions: asked for, granted, expired, and what they match.
use crate::db::Sql;
use crate::error::{Error, Result, check_revision, past};
use crate::list::{fetch, fetch_where, read_where};
use crate::put::put;
use crate::store::{NewChange, Store, Tx};
use crate::visible::Visible;
use seawall_model::exemption::{
    Category, Exemption, ExemptionSource, ExemptionState, ExemptionTarget,
};
use seawall_model::scope::ScopePath;
use seawall_model::{Id, Millis};
use std::collections::HashMap;

#[derive(Clone, Debug)]
pub struct NewExemption {
    pub scope: ScopePath,
    pub target: ExemptionTarget,
    pub category: Category,
    pub reason: String,
    pub owner: String,
    /// `Requested`, or `Granted` where the caller may grant.
    pub state: ExemptionState,
    pub expires: Millis,
    pub source: ExemptionSource,
}

pub trait Exemptions {
    async fn create_exemption(&self, new: &NewExemption) -> Result<Exemption>;
    /// requested → granted | denied; granted → revoked. Others are `Error::Transition`.
    async fn decide_exemption(
        &self,
        visible: &Visible,
        id: Id,
        state: ExemptionState,
        expected: Option<u64>,
    ) -> Result<Option<Exemption>>;
    /// Granted, not yet expired, and given at `scope` or above.
    async fn exemptions_in_force(&self, scope: &ScopePath) -> Result<Vec<Exemption>>;
    /// Ends those whose time is over; returns them so that their findings are judged again.
    async fn expire_exemptions(&self) -> Result<Vec<Exemption>>;
    /// When the next one that is granted or asked for ends; also a moment that is over.
    async fn next_exemption_end(&self) -> Result<Option<Millis>>;
    /// Counts the findings that name each granted exemption; returns those whose count moved.
    async fn recount_exemptions(&self) -> Result<Vec<Exemption>>;
}

/// An exemption lasts at most this long: five years outlive any audit period.
const MAX_LIFE: Millis = 5 * 366 * 24 * 3_600_000;

impl Exemptions for Store {
    async fn create_exemption(&self, new: &NewExemption) -> Result<Exemption> {
        let mut tx = self.begin().await?;
        let invalid =
            |field, message: &str| Err(Error::Invalid { field, message: message.to_owned() });
        if new.expires <= tx.now || new.expires > tx.now.saturating_add(MAX_LIFE) {
            return invalid("expires", "an exemption expires in the future, within five years");
        }
        if new.target.rule.trim().is_empty() || new.target.rule.trim() == "*" {
            return invalid("target.rule", "an exemption names a rule");
        }
        if new.reason.trim().is_empty() {
            return invalid("reason", "an exemption needs a reason");
        }
        if !matches!(new.state, ExemptionState::Requested | ExemptionState::Granted) {
            return invalid("state", "a new exemption is requested or granted");
        }
        let sql = Sql::new("SELECT 1 FROM scopes WHERE scope = $1").text(&new.scope);
        if tx.row("look for a scope", sql).await?.is_none() {
            return Err(Error::Missing { what: format!("scope {}", new.scope) });
        }
        let exemption = Exemption {
            id: tx.new_id(),
            scope: new.scope.clone(),
            target: new.target.clone(),
            category: new.category,
            reason: new.reason.clone(),
            owner: new.owner.clone(),
            state: new.state,
            expires: new.expires,
            source: new.source,
            matches: 0,
            last_match: None,
            created: tx.now,
            revision: 1,
        };
        write(&mut tx, std::slice::from_ref(&exemption)).await?;
        tx.commit().await?;
        Ok(exemption)
    }

    async fn decide_exemption(
        &self,
        visible: &Visible,
        id: Id,
        state: ExemptionState,
        expected: Option<u64>,
    ) -> Result<Option<Exemption>> {
        use ExemptionState::{Denied, Granted, Requested, Revoked};
        let mut tx = self.begin().await?;
        let Some(mut exemption) = fetch::<Exemption>(&mut tx, visible, id).await? else {
            return Ok(None);
        };
        check_revision(expected, exemption.revision)?;
        if !matches!((exemption.state, state), (Requested, Granted | Denied) | (Granted, Revoked)) {
            let message =
                format!("an exemption that is {:?} cannot become {state:?}", exemption.state);
            return Err(Error::Transition { message: message.to_lowercase() });
        }
        if state == Granted && past(Some(exemption.expires), tx.now) {
            let message = "its time is over; ask for a new one".to_owned();
            return Err(Error::Transition { message });
        }
        exemption.state = state;
        exemption.revision += 1;
        write(&mut tx, std::slice::from_ref(&exemption)).await?;
        tx.commit().await?;
        Ok(Some(exemption))
    }

    async fn exemptions_in_force(&self, scope: &ScopePath) -> Result<Vec<Exemption>> {
        let now = self.now();
        let granted: Vec<Exemption> = read_where(self.db(), "t.state = $1", "granted").await?;
        let fits = |exemption: &Exemption| {
            scope.is_within(&exemption.scope) && !past(Some(exemption.expires), now)
        };
        Ok(granted.into_iter().filter(fits).collect())
    }

    async fn expire_exemptions(&self) -> Result<Vec<Exemption>> {
        let mut tx = self.begin().await?;
        let condition = "t.state IN ('granted', 'requested') AND t.expires <= CAST($1 AS BIGINT)";
        let now = tx.now;
        let mut over: Vec<Exemption> = fetch_where(&mut tx, condition, now).await?;
        for exemption in &mut over {
            exemption.state = ExemptionState::Expired;
            exemption.revision += 1;
        }
        write(&mut tx, &over).await?;
        tx.commit().await?;
        Ok(over)
    }

    async fn next_exemption_end(&self) -> Result<Option<Millis>> {
        let sql = "SELECT min(expires) FROM exemptions WHERE state IN ('granted', 'requested')";
        let row = self.db().row("look for the next end", Sql::new(sql)).await?;
        Ok(row.and_then(|row| row.opt_int(0)))
    }

    async fn recount_exemptions(&self) -> Result<Vec<Exemption>> {
        let mut tx = self.begin().await?;
        let sql = "SELECT exemption, count(*) FROM findings WHERE exemption IS NOT NULL GROUP BY exemption";
        let rows = tx.rows("count exempt findings", Sql::new(sql)).await?;
        let counts: HashMap<String, u64> =
            rows.iter().map(|row| (row.text(0), row.uint(1))).collect();
        let all: Vec<Exemption> =
            fetch_where(&mut tx, "t.state = $1 OR t.matches > 0", "granted").await?;
        let mut moved = Vec::new();
        for mut exemption in all {
            let matches = counts.get(&exemption.id.to_string()).copied().unwrap_or_default();
            let due = |last: Millis| tx.now.saturating_sub(last) >= MATCHED;
            let seen = matches > 0 && exemption.last_match.is_none_or(due);
            if matches != exemption.matches || seen {
                exemption.matches = matches;
                if matches > 0 {
                    exemption.last_match = Some(tx.now);
                }
                exemption.revision += 1;
                moved.push(exemption);
            }
        }
        write(&mut tx, &moved).await?;
        tx.commit().await?;
        Ok(moved)
    }
}

/// A standing match is noted no more often than this; the warning comes after seven days without.
const MATCHED: Millis = 3_600_000;

async fn write(tx: &mut Tx, exemptions: &[Exemption]) -> Result<()> {
    put(tx, exemptions).await?;
    for exemption in exemptions {
        tx.changed(NewChange {
            noun: "exemption",
            id: exemption.id,
            revision: exemption.revision,
            scope: exemption.scope.clone(),
            namespace: exemption.target.namespace.clone(),
            image: None,
        });
    }
    Ok(())
}

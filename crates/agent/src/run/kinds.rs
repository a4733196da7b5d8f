//! The watch follows what is served and looked at: kinds begin, end and change their version while the agent runs.
use super::{Runner, Sent};
use crate::following::{Followed, Plan, Purpose, Turn, plan};
use seawall_cluster::{Kind, Served};
use seawall_model::time::Millis;
use seawall_posture::admission::Needs;

impl Runner {
    /// Watches what is served and looked at now; what is not served any more is gone.
    pub(super) async fn follow(&mut self, now: Millis) -> Sent {
        let needs = self.policy_sets.known.unmet();
        if needs.is_none() && !self.served.has_changed().unwrap_or(false) {
            return Ok(());
        }
        let asked = self.served.borrow_and_update().clone();
        let Some(served) = asked.served else { return Ok(()) };
        self.policy_sets.known.serves(&served);
        let needs = needs.unwrap_or_else(|| self.policy_sets.known.met());
        for turn in self.following.turn(self.plan(&served, &needs)) {
            match turn {
                Turn::Begun(index, followed) => self.begin(index, &followed),
                Turn::Replaced(index) => self.sight.forget(index),
                Turn::Ended(index, Followed { kind, purpose }) => {
                    self.sight.forget(index);
                    self.policy_sets.known.end(&kind.api_version, &kind.kind);
                    if purpose == Purpose::Judged {
                        self.end(&kind, now).await?;
                    }
                }
            }
        }
        self.policy_sets.known.meet(needs, self.assessor.objects());
        Ok(())
    }

    fn plan(&self, served: &Served, needs: &Needs) -> Plan {
        plan(served, needs, |kind| self.assessor.looks_at(&kind.api_version, &kind.kind))
    }

    fn begin(&mut self, index: usize, followed: &Followed) {
        let Followed { kind: Kind { api_version, kind, .. }, purpose } = followed;
        self.sight.expect(index);
        match purpose {
            Purpose::Judged if self.sight.is_complete() => {
                self.assessor.expect_more(api_version, kind);
            }
            Purpose::Judged => self.assessor.expect(api_version, kind),
            Purpose::LookedUp => return self.policy_sets.known.follow_alone(api_version, kind),
        }
        self.policy_sets.known.follow(api_version, kind);
    }

    /// Tells of the objects that are left of a kind that they are gone.
    async fn end(&mut self, kind: &Kind, now: Millis) -> Sent {
        for record in self.assessor.end(&kind.api_version, &kind.kind, now) {
            self.sink.send(record).await?;
        }
        Ok(())
    }

    /// All objects of a kind have come.
    pub(super) async fn listed(
        &mut self,
        index: usize,
        kind: &Kind,
        purpose: Purpose,
        now: Millis,
    ) -> Sent {
        self.sight.listed(index);
        if purpose == Purpose::Judged {
            self.assessor.listed(&kind.api_version, &kind.kind);
        }
        self.policy_sets.known.set_listed(&kind.api_version, &kind.kind, true);
        self.readable(index, now);
        for old in self.following.take_replaced(index) {
            if !self.following.is_looked_up(&old) {
                self.policy_sets.known.end(&old.api_version, &old.kind);
            }
            self.end(&old, now).await?;
        }
        Ok(())
    }
}

//! One agent's stream: greeting, batches, heartbeats; every batch is acknowledged after its commit, never before.
use super::desired::{encoded, wanted};
use super::live::Connection;
use super::unavailable;
use crate::api::enrolments::twin;
use crate::app::{App, stopped};
use crate::ca::AgentCertificate;
use crate::excuse::Excuses;
use crate::node;
use crate::trust::{self, Joiner, Trust};
use futures::FutureExt;
use prost::Message;
use seawall_model::Id;
use seawall_model::asset::{Agent, AgentRole, Capability, Dropped};
use seawall_model::exemption::Exemption;
use seawall_model::record::Record;
use seawall_store::{Agents, Batch, Clusters, Greeting, Ingest, Ingested, Nodes, Reads, Visible};
use seawall_wire::v1::{self, from_agent, from_hub};
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::time::Duration;
use tokio::sync::mpsc;
use tonic::{Status, Streaming};

/// Answers that wait for a slow agent; an Ack is 16 bytes.
const ANSWERS: usize = 16;
/// The greeting follows the connection at once.
const GREETING_DEADLINE: Duration = Duration::from_secs(10);
/// An agent sends a heartbeat every few seconds; one that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(90);
/// How often a revocation by another hub is looked for.
const RECHECK_EVERY: Duration = Duration::from_secs(5);
/// The class of records that this version cannot read.
const UNREADABLE: &str = "hub:unreadable";
/// The class of records over the size both sides agreed on.
const TOO_LARGE: &str = "hub:too-large";

/// Serves the stream in a task of its own and returns its answers.
pub(super) fn spawn(
    app: App,
    certificate: AgentCertificate,
    frames: Streaming<v1::FromAgent>,
) -> mpsc::Receiver<Result<v1::FromHub, Status>> {
    let (answers, receiver) = mpsc::channel(ANSWERS);
    tokio::spawn(async move {
        let AgentCertificate { agent, .. } = certificate;
        let connection = app.live.open(agent);
        let mut session =
            Session { app: app.clone(), frames, answers: answers.clone(), connection };
        let outcome = caught(session.serve(certificate)).await;
        if session.connection.close()
            && let Err(error) = app.store.agent_disconnected(agent).await
        {
            tracing::warn!(%error, %agent, "end of a stream not noted");
        }
        if let Err(status) = outcome {
            tracing::info!(%agent, code = ?status.code(), reason = status.message(), "agent stream ended");
            // The agent may be gone already.
            let _ = answers.try_send(Err(status));
        }
    });
    receiver
}

/// A panic ends the stream like any other failure: what follows the stream must happen.
async fn caught(serving: impl Future<Output = Result<(), Status>>) -> Result<(), Status> {
    let served = AssertUnwindSafe(serving).catch_unwind().await;
    served.unwrap_or_else(|_| Err(Status::internal("the hub failed while serving this stream")))
}

struct Session {
    app: App,
    frames: Streaming<v1::FromAgent>,
    answers: mpsc::Sender<Result<v1::FromHub, Status>>,
    connection: Connection,
}

impl Session {
    async fn serve(&mut self, certificate: AgentCertificate) -> Result<(), Status> {
        let first = tokio::time::timeout(GREETING_DEADLINE, self.frames.message()).await;
        let first = first.map_err(|_| Status::deadline_exceeded("no Hello within 10 s"))??;
        let Some(v1::FromAgent { frame: Some(from_agent::Frame::Hello(hello)) }) = first else {
            return Err(Status::invalid_argument("the first frame must be Hello"));
        };
        let agent = self.greet(certificate, hello).await?;
        self.answer(from_hub::Frame::Ack(v1::Ack { sequence: agent.last_sequence })).await?;
        tracing::info!(agent = %agent.id, name = agent.name, committed = agent.last_sequence, "agent connected");
        let mut stop = self.app.stop.clone();
        let mut recheck = tokio::time::interval(RECHECK_EVERY);
        let mut heard = tokio::time::Instant::now();
        let mut desired = self.app.wakers.desired();
        let mut told = None;
        loop {
            let frame = tokio::select! {
                frame = tokio::time::timeout_at(heard + SILENCE, self.frames.message()) => frame,
                () = self.connection.cut() => {
                    return Err(Status::permission_denied("revoked, or replaced by a newer stream"));
                }
                _ = recheck.tick() => {
                    self.check_still_trusted(certificate).await?;
                    self.tell_desired(&agent, &mut told).await?;
                    continue;
                }
                // The sender lives as long as the hub.
                _ = desired.changed() => {
                    self.tell_desired(&agent, &mut told).await?;
                    continue;
                }
                () = stopped(&mut stop) => {
                    return Err(Status::unavailable("the hub is ending"));
                }
            };
            let frame = frame.map_err(|_| Status::deadline_exceeded("silent for 90 s"))??;
            heard = tokio::time::Instant::now();
            match frame.and_then(|frame| frame.frame) {
                None => return Ok(()),
                Some(from_agent::Frame::Batch(batch)) => {
                    // Here too: nothing is taken from an expired agent until the next recheck.
                    self.check_not_expired(certificate)?;
                    self.batch(&agent, batch).await?;
                }
                Some(from_agent::Frame::Heartbeat(_)) => {
                    self.app.store.agent_seen(agent.id).await.map_err(unavailable)?;
                }
                Some(from_agent::Frame::Hello(_)) => {
                    return Err(Status::invalid_argument("a second Hello on one stream"));
                }
            }
        }
    }

    async fn greet(
        &self,
        certificate: AgentCertificate,
        hello: v1::Hello,
    ) -> Result<Agent, Status> {
        let known = self.app.store.get::<Agent>(&Visible::system(), certificate.agent).await;
        let known = known.map_err(unavailable)?;
        let refused = || Status::permission_denied("the agent is unknown or revoked");
        let known = known.ok_or_else(refused)?;
        if known.revoked {
            twin::came_back(&self.app, known.id).await.map_err(unavailable)?;
            return Err(refused());
        }
        let uid = hello.cluster.as_ref().map_or("", |cluster| cluster.uid.as_str());
        let named = self.app.store.cluster_by_uid(&Visible::system(), uid).await;
        let own = named.map_err(unavailable)?.filter(|named| named.scope == known.scope);
        let foreign = || Status::permission_denied("the agent belongs to another cluster");
        let own = own.ok_or_else(foreign)?;
        self.learn_trust(&known, &own.uid, hello.trust).await?;
        // What a newer agent can do and this hub does not know is left out of the list.
        let capabilities = hello
            .capabilities
            .into_iter()
            .filter_map(|capability| Capability::try_from(capability).ok());
        let version = hello.cluster.map(|cluster| cluster.version);
        let greeting = Greeting {
            version: hello.version,
            capabilities: capabilities.collect(),
            cluster_version: version.filter(|version| !version.is_empty()),
        };
        let agent = self.app.store.agent_connected(known.id, &greeting).await;
        agent.map_err(unavailable)?.ok_or_else(refused)
    }

    /// Tells a cluster agent what is wanted now, unless `told` already says so. Another hub's changes are seen with
    /// the next recheck.
    async fn tell_desired(&self, agent: &Agent, told: &mut Option<Vec<u8>>) -> Result<(), Status> {
        if agent.role != AgentRole::ClusterAgent {
            return Ok(());
        }
        let wanted = wanted(&self.app, &agent.scope).await.map_err(unavailable)?;
        let mark = wanted.mark();
        if told.as_ref() == Some(&mark) {
            return Ok(());
        }
        *told = Some(mark);
        let desired = wanted.with_texts(&self.app).await.map_err(unavailable)?;
        let Some(config_json) = encoded(&desired) else {
            let (policies, sets) = (desired.policies.len(), desired.sets.len());
            tracing::error!(agent = %agent.id, policies, sets, "too many policies for an agent: it keeps the last it was told");
            return Ok(());
        };
        let content = env!("CARGO_PKG_VERSION").to_owned();
        self.answer(from_hub::Frame::Desired(v1::Desired { content, config_json })).await
    }

    /// A cluster agent tells at every start by which keys its API server signs now.
    async fn learn_trust(
        &self,
        agent: &Agent,
        cluster_uid: &str,
        told: Option<v1::Trust>,
    ) -> Result<(), Status> {
        let Some(told) = told.filter(|_| agent.role == AgentRole::ClusterAgent) else {
            return Ok(());
        };
        let joiner = |joiner: v1::Joiner| {
            let role = AgentRole::try_from(joiner.role()).ok()?;
            Some(Joiner { service_account: joiner.service_account, role })
        };
        let joiners = told.joiners.into_iter().filter_map(joiner).collect();
        let jwks = serde_json::from_slice(&told.jwks_json).unwrap_or_default();
        match Trust::new(told.issuer, &jwks, joiners) {
            Ok(trust) => trust::keep(&self.app, cluster_uid, &trust).await.map_err(unavailable),
            Err(reason) => {
                tracing::warn!(agent = %agent.id, reason, "service-account keys not taken");
                Ok(())
            }
        }
    }

    fn check_not_expired(&self, certificate: AgentCertificate) -> Result<(), Status> {
        if certificate.expires < self.app.now() {
            return Err(Status::unauthenticated("the certificate has expired: renew it"));
        }
        Ok(())
    }

    async fn check_still_trusted(&self, certificate: AgentCertificate) -> Result<(), Status> {
        self.check_not_expired(certificate)?;
        let agent = self.app.store.get::<Agent>(&Visible::system(), certificate.agent).await;
        match agent.map_err(unavailable)? {
            Some(agent) if !agent.revoked => Ok(()),
            _ => Err(Status::permission_denied("the agent was revoked")),
        }
    }

    async fn batch(&mut self, agent: &Agent, batch: v1::Batch) -> Result<(), Status> {
        let bytes = batch.encoded_len();
        if bytes > seawall_wire::MAX_BATCH_BYTES
            || batch.records.len() > seawall_wire::MAX_BATCH_RECORDS
        {
            return Err(Status::resource_exhausted(
                "the batch is over the size both sides agreed on",
            ));
        }
        // Too fast: the agent waits in its spool, and others keep their share.
        while let Err(wait) = self.app.agent_bytes.take(agent.id, bytes as f64, self.app.now()) {
            tokio::time::sleep(Duration::from_millis(wait.max(1).unsigned_abs())).await;
        }
        let exemptions = crate::tasks::in_force(&self.app, &agent.scope).await;
        let exemptions = exemptions.map_err(unavailable)?;
        let mut batch = read(agent.id, batch);
        self.judge_nodes(agent, &mut batch.records).await.map_err(unavailable)?;
        excuse(&mut batch.records, &exemptions);
        let sequence = batch.sequence;
        let judged =
            |record: &Record| matches!(record, Record::Assessment(_) | Record::Node { .. });
        let judges = batch.records.iter().any(judged);
        let last = match self.app.store.ingest(batch).await.map_err(unavailable)? {
            Ingested::Committed(changed) => {
                self.app.wakers.ingested(changed);
                if judges {
                    crate::tasks::recheck(&self.app, &agent.scope, &exemptions).await;
                }
                sequence
            }
            Ingested::Duplicate { last } => last,
            Ingested::Refused => {
                return Err(Status::permission_denied("the agent is unknown or revoked"));
            }
        };
        self.answer(from_hub::Frame::Ack(v1::Ack { sequence: last })).await
    }

    /// Facts are judged on their way in, so that they and what controls say of them are seen together.
    async fn judge_nodes(
        &self,
        agent: &Agent,
        records: &mut [Record],
    ) -> seawall_store::Result<()> {
        let told = records.iter_mut().filter_map(|record| match record {
            Record::Node { facts, assessment } => Some((facts, assessment)),
            _ => None,
        });
        let mut selection = None;
        for (facts, assessment) in told {
            if selection.is_none() {
                let policies = node::assigned(&self.app, &agent.scope).await?;
                selection = Some(self.app.content.assigned(&policies));
            }
            let Some(selection) = &selection else { continue };
            let known = self.app.store.node(&agent.scope, &facts.node).await?;
            let labels = known.labels.unwrap_or_default();
            *assessment = Some(Box::new(node::judge(selection, facts, &labels)));
        }
        Ok(())
    }

    async fn answer(&self, frame: from_hub::Frame) -> Result<(), Status> {
        let answer = v1::FromHub { frame: Some(frame) };
        self.answers.send(Ok(answer)).await.map_err(|_| Status::cancelled("the agent is gone"))
    }
}

/// The batch in `model`'s words. A record that cannot be read is counted and acknowledged, never asked for again.
fn read(agent: Id, batch: v1::Batch) -> Batch {
    let mut dropped: BTreeMap<String, u64> = BTreeMap::new();
    let mut lose = |class: String, lost: u64| {
        let count = dropped.entry(class).or_default();
        // The count is the agent's word.
        *count = count.saturating_add(lost);
    };
    for lost in batch.dropped {
        lose(lost.class, lost.count);
    }
    let mut records = Vec::with_capacity(batch.records.len());
    for record in batch.records {
        let bytes = record.encoded_len();
        if bytes > seawall_wire::MAX_RECORD_BYTES {
            tracing::warn!(%agent, bytes, "record too large");
            lose(TOO_LARGE.to_owned(), 1);
            continue;
        }
        match Record::try_from(record) {
            Ok(record) => records.push(record),
            Err(unreadable) => {
                tracing::warn!(%agent, %unreadable, "record not readable");
                lose(UNREADABLE.to_owned(), 1);
            }
        }
    }
    let dropped = dropped.into_iter().map(|(class, count)| Dropped { class, count });
    Batch { agent, sequence: batch.sequence, records, dropped: dropped.collect() }
}

/// Applies exemptions before anything is stored: a score must not flicker.
fn excuse(records: &mut [Record], exemptions: &[Exemption]) {
    for record in records {
        let judged = match record {
            Record::Assessment(assessment) => &mut assessment.findings[..],
            Record::Node { assessment: Some(judged), .. } => &mut judged.findings[..],
            _ => &mut [],
        };
        for finding in judged {
            Excuses(exemptions).apply_control(finding);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capability(name: String) -> v1::Record {
        let name = seawall_model::asset::Capability {
            name,
            state: seawall_model::asset::CapabilityState::Full,
            tier: None,
            reason: None,
        };
        Record::Capabilities(vec![name]).into()
    }

    /// How many records remain, and what was dropped.
    #[track_caller]
    fn check(records: Vec<v1::Record>, told: &[(&str, u64)], kept: usize, dropped: &[(&str, u64)]) {
        let told =
            told.iter().map(|&(class, count)| v1::Dropped { class: class.to_owned(), count });
        let batch = v1::Batch { sequence: 1, records, dropped: told.collect() };
        let read = read(Id::new(1, [0; 10]), batch);
        let counted = read.dropped.iter().map(|lost| (lost.class.as_str(), lost.count));
        assert_eq!((read.records.len(), counted.collect::<Vec<_>>()), (kept, dropped.to_vec()));
    }

    #[test]
    fn what_cannot_be_taken_is_counted() {
        let endless = [("spool", u64::MAX), ("spool", u64::MAX)];
        check(Vec::new(), &endless, 0, &[("spool", u64::MAX)]);
        check(vec![v1::Record::default()], &[(UNREADABLE, u64::MAX)], 0, &[(UNREADABLE, u64::MAX)]);
        let large = "x".repeat(seawall_wire::MAX_RECORD_BYTES);
        let records = vec![capability(large), capability("exec".to_owned())];
        check(records, &[], 1, &[(TOO_LARGE, 1)]);
    }

    #[tokio::test]
    async fn a_panic_is_an_end_like_any_other() {
        let ended = caught(async { panic!("a defect") }).await;
        assert_eq!(ended.unwrap_err().code(), tonic::Code::Internal);
    }
}

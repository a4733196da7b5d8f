//! The API server's audit events: judged by the rules, searched for requests that passed admission unjudged, counted.
use super::{AuditOutcome, AuditSink, Lifeline};
use bytes::Bytes;
use seawall_model::Millis;
use seawall_model::record::Record;
use seawall_model::time::Clock;
use seawall_rules::audit::AuditLog;
use seawall_rules::firing::{Detections, Node};
use std::sync::Arc;
use tokio::sync::{Mutex, Semaphore, mpsc};

/// Batches held at a time, whoever gave up waiting for them; at 16 MiB the largest, more would be the agent's memory.
const MAX_BATCHES: usize = 4;

/// What is remembered from batch to batch.
struct Ears {
    log: AuditLog,
    /// Display name or UID of the cluster.
    cluster: String,
    clock: Arc<dyn Clock>,
    lifeline: Lifeline,
}

/// What one batch told.
struct Heard {
    records: Vec<Record>,
    /// None of it was an audit event.
    foreign: bool,
}

/// Takes one batch after the other; each is answered once its records are handed on.
pub(super) fn audit_sink(
    detections: Detections,
    cluster: String,
    clock: Arc<dyn Clock>,
    lifeline: Lifeline,
    records: mpsc::Sender<Record>,
) -> AuditSink {
    let ears = Ears { log: AuditLog::new(detections), cluster, clock, lifeline };
    let ears = Arc::new(Mutex::new(ears));
    let room = Arc::new(Semaphore::new(MAX_BATCHES));
    Box::new(move |body: Bytes| {
        let (ears, records) = (ears.clone(), records.clone());
        let Ok(room) = room.clone().try_acquire_owned() else {
            return Box::pin(std::future::ready(AuditOutcome::Busy));
        };
        // A task of its own: what was decoded once counts as seen, so a caller who gives up must not stop it half-way.
        let hearing = tokio::spawn(async move {
            let _room = room;
            let mut ears = ears.lock_owned().await;
            let heard = tokio::task::spawn_blocking(move || {
                let heard = ears.hear(&body);
                (ears, heard)
            });
            let (_ears, heard) = heard.await?;
            if heard.foreign {
                return Ok(AuditOutcome::Malformed("no audit event is in it".to_owned()));
            }
            for record in heard.records {
                if records.send(record).await.is_err() {
                    return Ok(AuditOutcome::Busy);
                }
            }
            Ok::<_, tokio::task::JoinError>(AuditOutcome::Taken)
        });
        Box::pin(async move {
            let outcome = hearing.await.and_then(|outcome| outcome);
            outcome.unwrap_or_else(|error| {
                tracing::error!(%error, "audit batch not judged");
                AuditOutcome::Malformed("the batch could not be judged".to_owned())
            })
        })
    })
}

impl Ears {
    fn hear(&mut self, body: &[u8]) -> Heard {
        let Self { log, cluster, clock, lifeline } = self;
        let (before, now) = (log.counts(), clock.now());
        let node = Node { cluster, now, ..Node::default() };
        let (mut events, mut last) = (0, 0);
        let judged = log.judge(body, node, &mut |audit| {
            events += 1;
            last = last.max(audit.time_ns.map_or(now, |time| (time / 1_000_000) as Millis));
            lifeline.audit(&audit.json);
        });
        for problem in judged.problems {
            tracing::warn!(%problem, "audit event not read whole");
        }
        let firing = |firing| Record::Firing(Box::new(firing));
        let mut records: Vec<Record> = judged.firings.into_iter().map(firing).collect();
        if events > 0 {
            records.push(Record::AuditSeen { last, events });
        }
        let counts = log.counts();
        let known = counts.records - before.records > counts.foreign - before.foreign;
        Heard { records, foreign: !known }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seawall_model::time::FixedClock;
    use seawall_rules::RuleSet;
    use seawall_rules::attack::Attack;
    use serde_json::json;
    use std::time::Duration;

    fn detections() -> Detections {
        let entries = seawall_content::detections();
        let files: Vec<_> = entries.iter().map(|entry| (entry.path, entry.text)).collect();
        let (rules, problems) = RuleSet::load(&files);
        assert_eq!(problems, []);
        let (attack, _) = Attack::parse("attack.yaml", seawall_content::ATTACK);
        Detections { rules: Arc::new(rules), attack: Arc::new(attack) }
    }

    fn exec(id: &str) -> serde_json::Value {
        json!({"kind": "Event", "apiVersion": "audit.k8s.io/v1", "level": "Request", "auditID": id,
            "stage": "ResponseStarted", "verb": "create", "user": {"username": "mallory", "groups": ["system:authenticated"]},
            "requestURI": "/api/v1/namespaces/shop/pods/web/exec?command=sh&container=main",
            "sourceIPs": ["192.0.2.9"], "userAgent": "kubectl/v1.36.3",
            "objectRef": {"resource": "pods", "subresource": "exec", "namespace": "shop", "name": "web", "apiVersion": "v1"},
            "responseStatus": {"code": 101}, "stageTimestamp": "2026-11-27T10:00:00.000000Z",
            "requestReceivedTimestamp": "2026-11-27T10:00:00.000000Z"})
    }

    #[tokio::test]
    async fn a_batch_is_judged_once_whoever_gives_up_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(1_795_773_600_000));
        let lifeline = Lifeline::load(dir.path(), "w", Duration::from_secs(5));
        // Room for one record: the batch has two.
        let (sender, mut records) = mpsc::channel(1);
        let sink = audit_sink(detections(), "prod".to_owned(), clock, lifeline, sender);
        let batch = |id: &str| {
            let list =
                json!({"kind": "EventList", "apiVersion": "audit.k8s.io/v1", "items": [exec(id)]});
            Bytes::from(list.to_string())
        };
        let waiting = tokio::time::timeout(Duration::from_millis(100), sink(batch("a")));
        assert!(waiting.await.is_err(), "there is no room for the second record");
        let Some(Record::Firing(firing)) = records.recv().await else { panic!("a firing first") };
        assert_eq!(
            (firing.location.cluster.as_str(), firing.location.pod.as_deref()),
            ("prod", Some("web"))
        );
        let actor = firing.actor.unwrap();
        assert_eq!((actor.user.as_str(), actor.address.as_deref()), ("mallory", Some("192.0.2.9")));
        let seen = Record::AuditSeen { last: 1_795_773_600_000, events: 1 };
        assert_eq!(records.recv().await, Some(seen));
        // The API server did not hear the answer and sends the batch again.
        assert_eq!(sink(batch("a")).await, AuditOutcome::Taken);
        assert!(records.try_recv().is_err());
        let drain = tokio::spawn(async move {
            let mut all = Vec::new();
            while let Some(record) = records.recv().await {
                all.push(record);
            }
            all
        });
        assert_eq!(sink(batch("b")).await, AuditOutcome::Taken);
        assert!(matches!(sink(Bytes::from("{\"a\": 1}")).await, AuditOutcome::Malformed(_)));
        drop(sink);
        assert_eq!(drain.await.unwrap().len(), 2);
    }
}

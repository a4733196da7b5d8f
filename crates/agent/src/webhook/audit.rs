//! The API server's audit events: what passed admission unjudged, and that they arrive at all.
use super::{AuditOutcome, AuditSink, Lifeline};
use bytes::Bytes;
use seawall_model::Millis;
use seawall_model::record::Record;
use serde_json::Value;
use tokio::sync::mpsc;

/// Takes batches for as long as `records` has room for what they tell.
pub(super) fn audit_sink(lifeline: Lifeline, records: mpsc::Sender<Record>) -> AuditSink {
    Box::new(move |body: Bytes| {
        let (lifeline, records) = (lifeline.clone(), records.clone());
        Box::pin(async move {
            // Room first: a batch that was looked at and is then sent again would count twice.
            let Ok(room) = records.reserve().await else { return AuditOutcome::Busy };
            let heard = tokio::task::spawn_blocking(move || hear(&body, &lifeline));
            match heard.await {
                Ok(Ok((last, events))) => {
                    room.send(Record::AuditSeen { last, events });
                    AuditOutcome::Taken
                }
                Ok(Err(error)) => AuditOutcome::Malformed(error),
                Err(error) => {
                    tracing::error!(%error, "audit batch not read");
                    AuditOutcome::Malformed("the batch could not be read".to_owned())
                }
            }
        })
    })
}

/// The newest event's time and the number of events.
fn hear(body: &[u8], lifeline: &Lifeline) -> Result<(Millis, u64), String> {
    let list: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let events = list["items"].as_array().ok_or("expected an EventList with `items`")?;
    events.iter().for_each(|event| lifeline.audit(event));
    let last = events.iter().filter_map(|event| super::gaps::time(event, "stageTimestamp")).max();
    Ok((last.unwrap_or_default(), events.len() as u64))
}

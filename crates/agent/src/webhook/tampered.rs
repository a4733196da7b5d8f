//! The alert about our own entry in the API server: without it, or with other rules in it, requests pass unjudged.
use seawall_cluster::RegistrationEvent;
use seawall_model::alert::{Action, ActionMode, ActionResult, Firing, Location, Object, Why};
use seawall_model::attack::Tactic;
use seawall_model::event::Identity;
use seawall_model::{Millis, Severity};

/// The agent's own detection: no rule of the content finds it.
const DETECTION: &str = "SW-A-0001";
const RESOURCE: &str = "validatingwebhookconfigurations";

/// None for what is no attack on the entry.
pub(super) fn firing(
    event: &RegistrationEvent,
    configuration: &str,
    cluster: &str,
    now: Millis,
) -> Option<Firing> {
    let (verb, what) = match event {
        RegistrationEvent::Missing => ("delete", "is gone: no request is judged"),
        RegistrationEvent::Altered => {
            ("update", "has other rules, selectors or bounds than it had when the agent started")
        }
        RegistrationEvent::Restored => {
            ("update", "had another CA, failure policy or rules of ours, which were put back")
        }
        RegistrationEvent::Registered
        | RegistrationEvent::Failed(_)
        | RegistrationEvent::FailurePolicy(_)
        | RegistrationEvent::Unjudged(_) => return None,
    };
    Some(Firing {
        detection: DETECTION.to_owned(),
        title: "Admission by Seawall removed or changed".to_owned(),
        severity: Severity::High,
        tactics: vec![Tactic::DefenseEvasion],
        mitre: "T1562.001".parse().into_iter().collect(),
        parity: Vec::new(),
        source: "agent".to_owned(),
        time: now,
        location: Location::of_cluster(cluster, Identity::Complete),
        process: Vec::new(),
        actor: None,
        object: Some(Object::Api {
            resource: RESOURCE.to_owned(),
            namespace: None,
            name: Some(configuration.to_owned()),
            verb: verb.to_owned(),
        }),
        why: vec![Why { expression: what.to_owned(), value: Some(configuration.to_owned()) }],
        output: format!("ValidatingWebhookConfiguration {configuration} {what}"),
        remediation: "Ask who changed it, by the API server's audit log; install the chart again where nobody knows."
            .to_owned(),
        action: Action { mode: ActionMode::Alert, result: ActionResult::None },
        lost_nearby: 0,
    })
}

#[test]
fn only_what_takes_admission_away_is_an_alert() {
    let told =
        |event: RegistrationEvent| firing(&event, "seawall", "prod", 1).map(|firing| firing.output);
    assert_eq!(
        told(RegistrationEvent::Missing).unwrap(),
        "ValidatingWebhookConfiguration seawall is gone: no request is judged"
    );
    assert!(
        told(RegistrationEvent::Altered).is_some() && told(RegistrationEvent::Restored).is_some()
    );
    assert_eq!(told(RegistrationEvent::Registered), None);
    assert_eq!(told(RegistrationEvent::Failed("x".to_owned())), None);
}

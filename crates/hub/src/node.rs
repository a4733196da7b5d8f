//! What controls say of a node: by what its sensor told, with the parameters assigned there.
use crate::agents::policies;
use crate::app::App;
use seawall_model::admission::Policy;
use seawall_model::facts::NodeFacts;
use seawall_model::finding::{ObjectAssessment, Resource};
use seawall_model::scope::ScopePath;
use seawall_posture::{Selection, facts};
use seawall_store::Node;

/// What is assigned at `scope` of controls that judge nodes, in a stable order.
pub(crate) async fn assigned(app: &App, scope: &ScopePath) -> seawall_store::Result<Vec<Policy>> {
    let mut policies = policies(app, scope).await?;
    policies.retain(|policy| app.content.judges_nodes(&policy.control));
    Ok(policies)
}

/// What controls say of a node and of the control plane's programs on it. `labels` are those of its object.
pub(crate) fn judge(
    selection: &Selection,
    facts: &NodeFacts,
    labels: &[(String, String)],
) -> ObjectAssessment {
    of(&facts.node, facts::node(selection, facts, labels))
}

/// The same of a node as it is stored: that nobody knows, where no sensor told; nothing where it is gone.
pub(crate) fn judge_stored(selection: &Selection, node: &Node) -> ObjectAssessment {
    let labels = node.labels.as_deref();
    match &node.facts {
        Some(facts) => judge(selection, facts, labels.unwrap_or_default()),
        None => {
            let unread = labels.map(|labels| facts::unread_node(selection, &node.name, labels));
            of(&node.name, unread.unwrap_or_default())
        }
    }
}

fn of(name: &str, findings: Vec<seawall_model::finding::ControlFinding>) -> ObjectAssessment {
    let resource = Resource {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        namespace: None,
        name: name.to_owned(),
        uid: None,
    };
    let mut assessment = ObjectAssessment::of(resource, 0);
    assessment.take(findings);
    assessment
}

#[test]
fn facts_are_judged() {
    let document = serde_json::json!({
        "node": "n1",
        "files": {"kubeletConfig": [{"path": "/k", "mode": "0644", "uid": 0, "gid": 0, "owner": "root:root"}]},
    });
    let facts = serde_json::from_value(document).expect("facts");
    let judged = judge(&crate::content::Content::embedded().0.assigned(&[]), &facts, &[]);
    let unhealthy = seawall_model::finding::State::Unhealthy;
    let failing = judged.findings.iter().filter(|finding| finding.state == unhealthy);
    let titles: Vec<&str> = failing.map(|finding| finding.title.as_str()).collect();
    assert_eq!(titles, ["Kubelet configuration file is open to other users"]);
}

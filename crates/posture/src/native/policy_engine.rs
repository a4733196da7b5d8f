//! Nothing refuses bad objects: neither Pod Security, nor admission policies, nor a policy engine.
use super::{Input, Join, Native, Subjects, cluster};
use crate::evaluate::Judgement;
use crate::exposure::{list, text};
use crate::world::{Object, Subject, World};
use serde_json::{Map, Value};

pub(super) static NATIVE: Native = Native {
    name: "policy-engine",
    subjects: Subjects::Listed(cluster),
    inputs: &[
        Input { group: "", kind: "Namespace", join: Join::Every },
        Input {
            group: "admissionregistration.k8s.io",
            kind: "ValidatingAdmissionPolicyBinding",
            join: Join::Every,
        },
        // Each template makes a kind of its own.
        Input { group: CONSTRAINTS, kind: "*", join: Join::Every },
        Input { group: "kyverno.io", kind: "ClusterPolicy", join: Join::Every },
        Input { group: "kyverno.io", kind: "Policy", join: Join::Every },
    ],
    judge,
};

/// Group of the constraints that Gatekeeper's templates make.
const CONSTRAINTS: &str = "constraints.gatekeeper.sh";

fn judge(_subject: &Subject<'_>, world: &World<'_>, _params: &Map<String, Value>) -> Judgement {
    if world.objects().any(refuses) {
        return Judgement::healthy();
    }
    Judgement::unhealthy("no policy refuses anything at admission", Vec::new())
}

fn refuses(object: Object<'_>) -> bool {
    let value = object.value();
    match (object.group(), object.kind()) {
        ("", "Namespace") => matches!(
            object.label("pod-security.kubernetes.io/enforce"),
            Some("baseline" | "restricted")
        ),
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => {
            list(value, "/spec/validationActions").any(|action| action == "Deny")
        }
        ("kyverno.io", "ClusterPolicy" | "Policy") => {
            let enforces = |text: &str| text.eq_ignore_ascii_case("enforce");
            enforces(text(value, "/spec/validationFailureAction"))
                || list(value, "/spec/rules")
                    .any(|rule| enforces(text(rule, "/validate/failureAction")))
        }
        // Without an action a constraint denies.
        (CONSTRAINTS, _) => match text(value, "/spec/enforcementAction") {
            "" | "deny" => true,
            "scoped" => {
                let actions = list(value, "/spec/scopedEnforcementActions");
                let mut actions = actions.filter(|action| text(action, "/action") == "deny");
                actions.any(|action| {
                    list(action, "/enforcementPoints").any(|point| {
                        matches!(text(point, "/name"), "*" | "validation.gatekeeper.sh")
                    })
                })
            }
            _ => false,
        },
        _ => false,
    }
}

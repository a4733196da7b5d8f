//! Nothing checks at admission who made an image: no webhook of the API server for images, no policy on signatures.
use super::{Input, Join, Native, Subjects, cluster, values};
use crate::evaluate::Judgement;
use crate::exposure::{list, text};
use crate::world::{Object, Subject, World};
use serde_json::{Map, Value};

/// Its parameter `webhooks` holds parts of the names of webhooks that verify signatures.
pub(super) static NATIVE: Native = Native {
    name: "image-provenance",
    subjects: Subjects::Listed(cluster),
    inputs: &[
        every("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
        Input { group: "", kind: "Pod", join: Join::Holding(&[PLUGIN]) },
        every("kyverno.io", "ClusterPolicy"),
        every("kyverno.io", "Policy"),
        every("policies.kyverno.io", "ImageValidatingPolicy"),
        every("policy.sigstore.dev", "ClusterImagePolicy"),
    ],
    judge,
};

/// The API server's own plug-in, as it is named on its command line.
const PLUGIN: &str = "ImagePolicyWebhook";

const fn every(group: &'static str, kind: &'static str) -> Input {
    Input { group, kind, join: Join::Every }
}

fn judge(_subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let webhooks = values(params, "webhooks");
    if world.objects().any(|object| verifies(object, &webhooks)) {
        return Judgement::healthy();
    }
    Judgement::unhealthy("nothing verifies images at admission", Vec::new())
}

fn verifies(object: Object<'_>, webhooks: &[&str]) -> bool {
    let value = object.value();
    match (object.group(), object.kind()) {
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") => {
            // One that lets everything through when it is away is still one.
            list(value, "/webhooks")
                .any(|webhook| webhooks.iter().any(|name| text(webhook, "/name").contains(name)))
        }
        ("kyverno.io", "ClusterPolicy" | "Policy") => {
            let enforces = |text: &str| text.eq_ignore_ascii_case("enforce");
            let overall = enforces(text(value, "/spec/validationFailureAction"));
            list(value, "/spec/rules").any(|rule| {
                list(rule, "/verifyImages")
                    .any(|verify| overall || enforces(text(verify, "/failureAction")))
            })
        }
        ("policies.kyverno.io", "ImageValidatingPolicy") => {
            let mut actions = list(value, "/spec/validationActions").peekable();
            actions.peek().is_none() || actions.any(|action| action == "Deny")
        }
        ("policy.sigstore.dev", "ClusterImagePolicy") => text(value, "/spec/mode") != "warn",
        // Where the API server's pod is to be seen.
        ("", "Pod") => {
            let arguments = list(value, "/spec/containers").flat_map(|container| {
                let words = list(container, "/command").chain(list(container, "/args"));
                words.filter_map(Value::as_str).collect::<Vec<_>>()
            });
            object.namespace() == "kube-system"
                && arguments
                    .filter_map(|word| word.strip_prefix("--enable-admission-plugins="))
                    .any(|plugins| plugins.split(',').any(|plugin| plugin == PLUGIN))
        }
        _ => false,
    }
}

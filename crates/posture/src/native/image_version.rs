//! A workload that runs a program with a known flaw, by its image's name and tag.
use super::exposed::workload;
use super::exposed_sensitive::repository;
use super::version::Version;
use super::{Native, Subjects, values};
use crate::evaluate::Judgement;
use crate::exposure::{list, text};
use crate::world::{Subject, World};
use seawall_model::finding::Evidence;
use serde_json::{Map, Value};

pub(super) static NATIVE: Native =
    Native { name: "image-version", subjects: Subjects::Workloads, inputs: &[], judge };

fn judge(subject: &Subject<'_>, world: &World<'_>, params: &Map<String, Value>) -> Judgement {
    let Some(workload) = workload(subject, world) else {
        return Judgement::unknown("error", "the workload has no pod template");
    };
    let (images, affected) = (values(params, "images"), values(params, "affected"));
    let (mut evidence, mut untold, mut found) = (Vec::new(), None, false);
    let kind = crate::workload::kind(workload.object.api_version(), workload.object.kind());
    for lists in ["initContainers", "containers"] {
        for (index, container) in list(workload.pod_spec, &format!("/{lists}")).enumerate() {
            let image = text(container, "/image");
            let name = repository(image);
            let meant = |wanted: &&str| name == *wanted || name.ends_with(&format!("/{wanted}"));
            if !images.iter().any(meant) {
                continue;
            }
            found = true;
            let tag = image.split('@').next().unwrap_or(image).strip_prefix(name);
            match tag.and_then(|tag| Version::read(tag.trim_start_matches(':'))) {
                None => untold = Some(image),
                Some(version) if version.is_in(&affected) => {
                    let root = kind.map_or("", |kind| kind.pod_spec);
                    let path = format!("{root}/{lists}/{index}/image");
                    evidence.push(Evidence { path, value: image.into() });
                }
                Some(_) => {}
            }
        }
    }
    match (evidence.is_empty(), untold, found) {
        (false, ..) => Judgement::unhealthy("runs a version with the flaw", evidence),
        (true, Some(image), _) => {
            Judgement::unknown("unsupported", format!("the tag of {image} tells no version"))
        }
        (true, None, true) => Judgement::healthy(),
        (true, None, false) => Judgement::not_applicable("out-of-scope"),
    }
}

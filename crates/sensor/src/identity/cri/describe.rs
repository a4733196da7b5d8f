//! CRI's records to the product's nouns.
use super::{ContainerRecord, Image, Sandbox};
use crate::identity::describe::{self, Spec};
use seawall_model::event::Container;
use seawall_model::image::ImageRef;
use serde::Deserialize;
use std::collections::HashMap;

/// What CRI-O and containerd tell under `info`. Source: CRI-O `server/container_status.go`, containerd
/// `internal/cri/server/container_status.go`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Info {
    runtime_spec: Option<Spec>,
    /// CRI-O alone.
    privileged: Option<bool>,
}

impl Info {
    /// Of another shape it is as good as none.
    pub(super) fn parse(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    fn privileged(&self) -> Option<bool> {
        self.privileged.or_else(|| self.runtime_spec.as_ref().map(Spec::privileged))
    }
}

/// `runtime` is the runtime's own name.
pub(super) fn container(
    record: &ContainerRecord,
    info: &Info,
    image: Option<ImageRef>,
    pod_labels: &HashMap<String, String>,
    runtime: &str,
) -> Container {
    let label = record.labels.get("io.kubernetes.container.name").cloned();
    let own = record.metadata.as_ref().map(|metadata| metadata.name.clone());
    Container {
        id: record.id.clone(),
        name: label.or(own.filter(|name| !name.is_empty())),
        image,
        privileged: info.privileged(),
        runtime: Some(runtime.to_owned()),
        start: start(record.created_at),
        pod: describe::pod(&record.labels, pod_labels),
        init_pid: None,
    }
}

/// The pod's infrastructure container, which CRI does not list: its id is the sandbox's.
pub(super) fn sandbox(record: &Sandbox, runtime: &str) -> Container {
    Container {
        id: record.id.clone(),
        name: Some("POD".to_owned()),
        runtime: Some(runtime.to_owned()),
        start: start(record.created_at),
        pod: describe::pod(&record.labels, &record.labels),
        ..Container::default()
    }
}

fn start(nanoseconds: i64) -> Option<i64> {
    (nanoseconds > 0).then_some(nanoseconds / 1_000_000)
}

/// By what the runtime finds the image again: its id, else a reference.
pub(super) fn reference(record: &ContainerRecord) -> Option<&str> {
    let named = record.image.as_ref().map_or("", |image| image.image.as_str());
    [record.image_id.as_str(), record.image_ref.as_str(), named]
        .into_iter()
        .find(|text| !text.is_empty())
}

/// The image as the pod's author wrote it, as far as the runtime tells.
pub(super) fn wanted(record: &ContainerRecord) -> String {
    let Some(image) = &record.image else { return record.image_ref.clone() };
    let texts = [&image.user_specified, &image.image, &record.image_ref];
    texts.into_iter().find(|text| !text.is_empty()).cloned().unwrap_or_default()
}

/// Named by the tag that was asked for, in full, as registries and other nodes name it.
///
/// The id is the configuration's digest, except for images pulled in part (zstd:chunked, containers/image
/// `storage_dest.go`, `computeID`), whose id only this node knows. CRI does not say whether a repository's digest is
/// the manifest's or the index's. CRI-O keeps both where there are both, so a single one is the manifest's; of other
/// runtimes, and of several, none is taken.
pub(super) fn image(image: &Image, wanted: &str, runtime: &str) -> ImageRef {
    let name = name(image, wanted);
    let mut digests: Vec<&str> =
        image.repo_digests.iter().filter_map(|text| Some(text.rsplit_once('@')?.1)).collect();
    digests.sort_unstable();
    digests.dedup();
    let digest = match digests[..] {
        [only] if runtime == "cri-o" => Some(only.to_owned()),
        _ => None,
    };
    let id = image.id.strip_prefix("sha256:").unwrap_or(&image.id);
    let config_digest = is_id(id).then(|| format!("sha256:{id}"));
    ImageRef { name, digest, index_digest: None, config_digest }
}

fn name(image: &Image, wanted: &str) -> String {
    let last = wanted.rsplit('/').next().unwrap_or(wanted);
    let full = if last.contains(':') { wanted.to_owned() } else { format!("{wanted}:latest") };
    let short = format!("/{full}");
    let asked = image.repo_tags.iter().find(|tag| **tag == full || tag.ends_with(&short));
    if let Some(tag) = asked {
        return tag.clone();
    }
    let by_id = is_id(wanted) || wanted.starts_with("sha256:");
    // A tag that this image no longer has is still what was asked for.
    if !by_id && describe::is_tagged(wanted) {
        return wanted.to_owned();
    }
    let by_digest = image.repo_digests.first().filter(|_| by_id);
    image.repo_tags.first().or(by_digest).cloned().unwrap_or_else(|| wanted.to_owned())
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4f1d2c3b4a5968778695a4b3c2d1e0f94f1d2c3b4a5968778695a4b3c2d1e0f9";

    #[track_caller]
    fn check(
        wanted: &str,
        tags: &[&str],
        digests: &[&str],
        runtime: &str,
        expected: (&str, Option<&str>),
    ) {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let record =
            Image { id: ID.to_owned(), repo_tags: owned(tags), repo_digests: owned(digests) };
        let found = image(&record, wanted, runtime);
        assert_eq!((found.name.as_str(), found.digest.as_deref()), expected, "{wanted} {tags:?}");
        assert_eq!(found.config_digest, Some(format!("sha256:{ID}")));
        assert_eq!(found.index_digest, None);
    }

    #[test]
    fn images_are_named_as_they_were_asked_for() {
        let tags = ["quay.io/shop/web:1", "quay.io/shop/web:stable"];
        let one = ["quay.io/shop/web@sha256:aa", "quay.io/mirror/web@sha256:aa"];
        let both = ["quay.io/shop/web@sha256:aa", "quay.io/shop/web@sha256:bb"];
        let stable = "quay.io/shop/web:stable";
        check(stable, &tags, &one, "cri-o", (stable, Some("sha256:aa")));
        check("shop/web:stable", &tags, &one, "cri-o", (stable, Some("sha256:aa")));
        let latest = ["docker.io/library/web:latest"];
        check("web", &latest, &[], "cri-o", (latest[0], None));
        check(
            "quay.io:5000/web",
            &["quay.io:5000/web:latest"],
            &[],
            "cri-o",
            ("quay.io:5000/web:latest", None),
        );
        check(stable, &tags, &both, "cri-o", (stable, None));
        check(stable, &tags, &one, "containerd", (stable, None));
        check(ID, &tags, &one, "cri-o", ("quay.io/shop/web:1", Some("sha256:aa")));
        check("quay.io/shop/web@sha256:aa", &tags, &[], "cri-o", ("quay.io/shop/web:1", None));
        check(ID, &[], &one[..1], "cri-o", (one[0], Some("sha256:aa")));
        check(
            "quay.io/shop/web@sha256:aa",
            &[],
            &both,
            "cri-o",
            ("quay.io/shop/web@sha256:aa", None),
        );
        // The tag has moved to another image since.
        check("quay.io/shop/web:2", &tags, &[], "cri-o", ("quay.io/shop/web:2", None));
        check(ID, &[], &[], "cri-o", (ID, None));
    }

    #[test]
    fn an_id_of_another_shape_is_no_digest() {
        let record = Image { id: "overlay@1".to_owned(), ..Image::default() };
        assert_eq!(image(&record, "a:1", "cri-o").key_digest(), None);
    }

    #[test]
    fn privileged_is_what_the_runtime_says() {
        let privileged = |text: &str| Info::parse(Some(text)).privileged();
        let spec = r#"{"process":{"capabilities":{"bounding":["CAP_SYS_ADMIN","CAP_SYS_MODULE"]}},"linux":{}}"#;
        assert_eq!(privileged(&format!(r#"{{"pid":7,"runtimeSpec":{spec}}}"#)), Some(true));
        let both = format!(r#"{{"sandboxID":"a","privileged":false,"runtimeSpec":{spec}}}"#);
        assert_eq!(privileged(&both), Some(false));
        assert_eq!(
            privileged(r#"{"runtimeSpec":{"linux":{"maskedPaths":["/proc/kcore"]}}}"#),
            Some(false)
        );
        for other in ["", "{}", "[1]", r#"{"runtimeSpec":7}"#] {
            assert_eq!(privileged(other), None, "{other}");
        }
        assert_eq!(Info::parse(None).privileged(), None);
    }
}

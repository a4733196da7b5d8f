//! `user.*`, `group.*`, `container.*`, `k8s.*`: on whose behalf and where.
use super::process::present;
use super::{Argument, Field};
use crate::value::Value;
use seawall_model::event::{Container, Event, Pod};

/// Falco's name for "in no container".
const HOST: &str = "host";
/// Falco shortens container ids to this many characters.
const SHORT_ID_CHARS: usize = 12;

pub(super) static FIELDS: &[Field] = &[
    Field::number("user.uid", "User id.", |e, _| Some(Value::Number(e.process.uid.into()))),
    Field::text("user.name", "User name.", |e, _| present(e.process.user.as_deref()?)),
    Field::number("user.loginuid", "Audit user id; -1 where none was set.", |e, _| {
        Some(Value::Number(e.process.login_uid.map_or(-1, i128::from)))
    }),
    Field::number("group.gid", "Group id.", |e, _| Some(Value::Number(e.process.gid.into()))),
    Field::text(
        "container.id",
        "The first 12 characters of the container's id, or `host`.",
        |e, _| {
            Some(Value::text(e.container.as_ref().map_or(HOST, |container| short(&container.id))))
        },
    ),
    Field::text("container.full_id", "The container's id.", |e, _| present(&container(e)?.id)),
    Field::text("container.name", "The container's name, or `host`.", |e, _| match &e.container {
        None => Some(Value::text(HOST)),
        Some(container) => present(container.name.as_deref()?),
    }),
    Field::text("container.image", "The image as the runtime names it.", |e, _| present(image(e)?)),
    Field::text(
        "container.image.id",
        "The first 12 digits of the image's configuration digest.",
        |e, _| {
            let digest = container(e)?.image.as_ref()?.config_digest.as_deref()?;
            present(short(digest.strip_prefix("sha256:").unwrap_or(digest)))
        },
    ),
    Field::text(
        "container.image.repository",
        "The image's name without tag and digest.",
        |e, _| present(image_parts(image(e)?).0),
    ),
    Field::text("container.image.tag", "The image's tag.", |e, _| {
        present(image_parts(image(e)?).1?)
    }),
    Field::text("container.image.digest", "The image's digest.", |e, _| {
        present(container(e)?.image.as_ref()?.key_digest()?)
    }),
    Field::text("container.type", "The container runtime.", |e, _| {
        present(container(e)?.runtime.as_deref()?)
    }),
    Field::boolean("container.privileged", "Whether the container is privileged.", |e, _| {
        container(e)?.privileged.map(Value::Bool)
    }),
    Field::number("container.start_ts", "Epoch nanoseconds of the container's start.", |e, _| {
        Some(Value::Number(i128::from(container(e)?.start?) * 1_000_000))
    }),
    Field::number("container.duration", "Nanoseconds since the container's start.", |e, _| {
        let start = i128::from(container(e)?.start?) * 1_000_000;
        Some(Value::Number((i128::from(e.time_ns?) - start).max(0)))
    }),
    Field::text("container.info", "The container's name and image, for outputs.", |e, _| match &e
        .container
    {
        None => Some(Value::text("container=host")),
        Some(container) => {
            let name = container.name.as_deref().unwrap_or("<NA>");
            let image = container.image.as_ref().map_or("<NA>", |image| image.name.as_str());
            Some(Value::owned(format!(
                "container={} name={name} image={image}",
                short(&container.id)
            )))
        }
    })
    .costly(),
    Field::text("k8s.ns.name", "The pod's namespace.", |e, _| present(&pod(e)?.namespace)),
    Field::text("k8s.pod.name", "The pod's name.", |e, _| present(&pod(e)?.name)),
    Field::text("k8s.pod.uid", "The pod's UID.", |e, _| present(&pod(e)?.uid)),
    Field::text("k8s.pod.id", "The pod's UID.", |e, _| present(&pod(e)?.uid)),
    Field::text("k8s.pod.label", "One label of the pod, by name.", |e, a| {
        let Argument::Key(wanted) = a else { return None };
        pod(e)?.labels.iter().find(|(name, _)| name == wanted).map(|(_, value)| Value::text(value))
    })
    .keyed(),
    Field::text("k8s.pod.labels", "All labels of the pod: `name:value,…`.", |e, _| {
        let labels = &pod(e)?.labels;
        let pairs: Vec<_> = labels.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        (!pairs.is_empty()).then(|| Value::owned(pairs.join(",")))
    })
    .costly(),
    Field::text("k8s.workload", "The pod's top owner: `Deployment/web`. Ours.", |e, _| {
        present(pod(e)?.workload.as_deref()?)
    }),
];

fn container(event: &Event) -> Option<&Container> {
    event.container.as_deref()
}

fn pod(event: &Event) -> Option<&Pod> {
    container(event)?.pod.as_ref()
}

fn image(event: &Event) -> Option<&str> {
    Some(container(event)?.image.as_ref()?.name.as_str())
}

fn short(id: &str) -> &str {
    id.char_indices().nth(SHORT_ID_CHARS).map_or(id, |(end, _)| &id[..end])
}

/// `registry:5000/a/b:tag@sha256:…` into repository and tag.
pub(super) fn image_parts(name: &str) -> (&str, Option<&str>) {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

#[test]
fn image_names_split() {
    for (name, expected) in [
        ("nginx", ("nginx", None)),
        ("docker.io/library/nginx:1.27", ("docker.io/library/nginx", Some("1.27"))),
        ("localhost:5000/a/b", ("localhost:5000/a/b", None)),
        ("localhost:5000/a/b:v1@sha256:00", ("localhost:5000/a/b", Some("v1"))),
    ] {
        assert_eq!(image_parts(name), expected, "{name}");
    }
}

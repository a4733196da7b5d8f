//! `ka.*` and `jevt.*`: a request to an API server, by the names and meanings of Falco's k8saudit plugin, 0.11.
//! `ka.req.pod.*` reads Pods alone, and of their containers the plain ones, as the plugin does; `obj.*` sees more.
use super::process::present;
use super::{Argument, Field};
use crate::clock;
use crate::value::{Kind, Quantity, Value};
use seawall_model::audit::AuditEvent;
use seawall_model::event::Event;
use serde_json::Value as Json;

pub(super) static FIELDS: &[Field] = &[
    text("ka.auditid", "Id of the request.", |e, _| present(audit(e)?.id.as_deref()?)),
    text("ka.stage", "How far the request had come.", |e, _| {
        Some(Value::text(audit(e)?.stage.as_str()))
    }),
    text("ka.auth.decision", "allow or forbid.", |e, _| present(audit(e)?.decision.as_deref()?)),
    text("ka.auth.reason", "Why it was allowed.", |e, _| {
        present(audit(e)?.decision_reason.as_deref()?)
    }),
    text("ka.auth.openshift.decision", "OpenShift's decision.", |e, _| {
        annotation(e, "authentication.openshift.io/decision")
    }),
    text("ka.auth.openshift.username", "Who OpenShift authenticated.", |e, _| {
        annotation(e, "authentication.openshift.io/username")
    }),
    text("ka.user.name", "Who authenticated.", |e, _| present(audit(e)?.user.as_deref()?)),
    list("ka.user.groups", "The user's groups.", |e, a| {
        part(audit(e)?.groups.iter().map(|group| Value::text(group)), a)
    }),
    text("ka.impuser.name", "In whose name the request was made.", |e, _| {
        present(audit(e)?.impersonated.as_deref()?)
    }),
    text("ka.verb", "create, get, delete and the like.", |e, _| {
        present(audit(e)?.verb.as_deref()?)
    }),
    text("ka.uri", "Path and query.", |e, _| present(audit(e)?.uri.as_deref()?)),
    text("ka.uri.param", "One parameter of the query, decoded.", |e, a| {
        let Argument::Key(wanted) = a else { return None };
        audit(e)?.query.iter().find(|(name, _)| name == wanted).map(|(_, value)| Value::text(value))
    })
    .keyed(),
    text("ka.target.name", "Name of the object.", |e, _| {
        present(audit(e)?.object.as_ref()?.name.as_deref()?)
    }),
    text("ka.target.namespace", "Namespace of the object.", |e, _| {
        present(audit(e)?.object.as_ref()?.namespace.as_deref()?)
    }),
    text("ka.target.resource", "Resource, such as pods.", |e, _| present(resource(e)?)),
    text("ka.target.subresource", "Subresource, such as exec.", |e, _| {
        present(audit(e)?.object.as_ref()?.subresource.as_deref()?)
    }),
    text("ka.target.pod.name", "Name of the pod.", |e, _| {
        if resource(e)? != "pods" {
            return None;
        }
        present(audit(e)?.name()?)
    }),
    list("ka.req.binding.subjects", "Subjects of a binding, in JSON.", |e, a| {
        part(items(request(e)?.get("subjects")?)?.iter().map(written), a)
    }),
    text("ka.req.binding.role", "Role of a binding.", |e, _| {
        present(request(e)?.pointer("/roleRef/name")?.as_str()?)
    }),
    text("ka.req.binding.subject.has_name", "Whether a binding has that subject.", |e, a| {
        let Argument::Key(wanted) = a else { return None };
        let mut subjects = items(request(e)?.get("subjects")?)?.iter();
        Some(truth(subjects.any(|subject| subject.get("name").is_some_and(|name| name == wanted))))
    })
    .keyed(),
    text("ka.req.configmap.name", "Name of a ConfigMap.", |e, _| {
        present(of(e, "configmaps")?.pointer("/metadata/name")?.as_str()?)
    }),
    text("ka.req.configmap.obj", "Content of a ConfigMap, in JSON.", |e, _| {
        Some(written(of(e, "configmaps")?.get("data")?))
    })
    .costly(),
    list("ka.req.pod.containers.image", "Images of a pod's containers.", |e, a| {
        part(each(e, "/image"), a)
    }),
    text("ka.req.container.image", "Image of a pod's first container.", |e, _| {
        each(e, "/image").next()
    }),
    list("ka.req.pod.containers.image.repository", "The images without tag and digest.", |e, a| {
        part(each(e, "/image").map(repository), a)
    }),
    text("ka.req.container.image.repository", "The same of the first container.", |e, _| {
        each(e, "/image").map(repository).next()
    }),
    text("ka.req.pod.host_ipc", "Whether a pod has the node's IPC namespace.", |e, _| {
        pod(e, "/hostIPC")
    }),
    text("ka.req.pod.host_network", "Whether a pod has the node's network.", |e, _| {
        pod(e, "/hostNetwork")
    }),
    text("ka.req.container.host_network", "Whether a pod has the node's network.", |e, _| {
        pod(e, "/hostNetwork")
    }),
    text("ka.req.pod.host_pid", "Whether a pod has the node's processes.", |e, _| {
        pod(e, "/hostPID")
    }),
    list("ka.req.pod.containers.host_port", "Ports of the node that containers take.", |e, a| {
        let ports = containers(e).filter_map(|container| items(container.get("ports")?));
        part(ports.flatten().filter_map(|port| port.get("hostPort")).map(written), a)
    }),
    list("ka.req.pod.containers.privileged", "Whether containers are privileged.", |e, a| {
        part(each(e, "/securityContext/privileged"), a)
    }),
    text("ka.req.container.privileged", "Whether any container is privileged.", |e, _| {
        let mut found = each(e, "/securityContext/privileged").peekable();
        found.peek()?;
        Some(truth(found.any(|value| value == Value::text("true"))))
    }),
    list("ka.req.pod.containers.allow_privilege_escalation", "Whether setuid works.", |e, a| {
        part(each(e, "/securityContext/allowPrivilegeEscalation"), a)
    }),
    list("ka.req.pod.containers.read_only_fs", "Whether the root is read-only.", |e, a| {
        part(each(e, "/securityContext/readOnlyRootFilesystem"), a)
    }),
    text("ka.req.pod.run_as_user", "User of a pod.", |e, _| pod(e, "/securityContext/runAsUser")),
    list("ka.req.pod.containers.run_as_user", "Users of containers.", |e, a| {
        part(each(e, "/securityContext/runAsUser"), a)
    }),
    list("ka.req.pod.containers.eff_run_as_user", "Users, the pod's included; else 0.", |e, a| {
        part(effective(e, "/securityContext/runAsUser"), a)
    }),
    text("ka.req.pod.run_as_group", "Group of a pod.", |e, _| {
        pod(e, "/securityContext/runAsGroup")
    }),
    list("ka.req.pod.containers.run_as_group", "Groups of containers.", |e, a| {
        part(each(e, "/securityContext/runAsGroup"), a)
    }),
    list(
        "ka.req.pod.containers.eff_run_as_group",
        "Groups, the pod's included; else 0.",
        |e, a| part(effective(e, "/securityContext/runAsGroup"), a),
    ),
    list("ka.req.pod.containers.proc_mount", "How containers see /proc.", |e, a| {
        part(each(e, "/securityContext/procMount"), a)
    }),
    list("ka.req.pod.containers.add_capabilities", "Capabilities added.", |e, a| {
        let added = containers(e)
            .filter_map(|container| items(container.pointer("/securityContext/capabilities/add")?));
        part(added.flatten().map(written), a)
    }),
    text("ka.req.pod.fs_group", "Group of a pod's volumes.", |e, _| {
        pod(e, "/securityContext/fsGroup")
    }),
    list("ka.req.pod.supplemental_groups", "Further groups of a pod.", |e, a| {
        let groups = of(e, "pods")?.pointer("/spec/securityContext/supplementalGroups")?;
        part(items(groups)?.iter().map(written), a)
    }),
    list("ka.req.pod.volumes.hostpath", "Paths of the node that a pod mounts.", |e, a| {
        part(host_paths(e), a)
    }),
    text(
        "ka.req.volume.hostpath",
        "Whether a pod mounts that path; `*` ends a beginning.",
        |e, a| {
            let Argument::Key(wanted) = a else { return None };
            let matches = |path: Value<'_>| match wanted.strip_suffix('*') {
                Some(beginning) => path.render().starts_with(beginning),
                None => path.render() == wanted.as_str(),
            };
            of(e, "pods")?;
            Some(truth(host_paths(e).any(matches)))
        },
    )
    .keyed(),
    list("ka.req.pod.volumes.flexvolume_driver", "Drivers of a pod's flexvolumes.", |e, a| {
        let drivers = volumes(e).filter_map(|volume| volume.pointer("/flexVolume/driver"));
        part(drivers.map(written), a)
    }),
    list("ka.req.pod.volumes.volume_type", "Types of a pod's volumes.", |e, a| {
        let keys = volumes(e).filter_map(Json::as_object).flat_map(|volume| volume.keys());
        part(keys.filter(|key| *key != "name").map(|key| Value::text(key)), a)
    }),
    list("ka.req.role.rules", "Rules of a role, in JSON.", |e, a| {
        part(items(request(e)?.get("rules")?)?.iter().map(written), a)
    }),
    list("ka.req.role.rules.apiGroups", "API groups of a role's rules.", |e, a| {
        part(of_rules(e, "apiGroups"), a)
    }),
    list("ka.req.role.rules.nonResourceURLs", "Paths of a role's rules.", |e, a| {
        part(of_rules(e, "nonResourceURLs"), a)
    }),
    list("ka.req.role.rules.verbs", "Verbs of a role's rules.", |e, a| {
        part(of_rules(e, "verbs"), a)
    }),
    list("ka.req.role.rules.resources", "Resources of a role's rules.", |e, a| {
        part(of_rules(e, "resources"), a)
    }),
    text("ka.req.service.type", "Type of a Service.", |e, _| {
        present(of(e, "services")?.pointer("/spec/type")?.as_str()?)
    }),
    list("ka.req.service.ports", "Ports of a Service, in JSON.", |e, a| {
        part(items(of(e, "services")?.pointer("/spec/ports")?)?.iter().map(written), a)
    }),
    text("ka.resp.name", "Name of the object in the answer.", |e, _| {
        present(audit(e)?.response()?.pointer("/metadata/name")?.as_str()?)
    }),
    text("ka.response.code", "HTTP status; compares as a number too.", |e, _| {
        Some(Value::owned(audit(e)?.code?.to_string()))
    })
    .loose()
    .costly(),
    text("ka.response.reason", "The machine's word for a failure.", |e, _| {
        present(audit(e)?.reason.as_deref()?)
    }),
    text("ka.useragent", "What the client calls itself.", |e, _| {
        present(audit(e)?.user_agent.as_deref()?)
    }),
    list("ka.sourceips", "Addresses, the client's first.", |e, a| {
        part(audit(e)?.addresses.iter().map(|address| Value::text(address)), a)
    }),
    text("ka.cluster.name", "The cluster, where the log's source names it.", |e, _| {
        present(audit(e)?.cluster.as_deref()?)
    }),
    text("jevt.value", "One value of the record, by JSON pointer.", |e, a| {
        let Argument::Key(pointer) = a else { return None };
        Some(written(audit(e)?.json.pointer(pointer).filter(|value| !value.is_null())?))
    })
    .keyed()
    .costly(),
    text("jevt.obj", "The whole record, in JSON.", |e, _| Some(written(&audit(e)?.json))).costly(),
    text("jevt.time", "Time of day, UTC, with nanoseconds.", |e, _| {
        Some(Value::owned(clock::rfc3339(e.time_ns?)[11..29].to_owned()))
    })
    .costly(),
    text("jevt.time.iso8601", "Date and time, UTC, with nanoseconds.", |e, _| {
        Some(Value::owned(clock::rfc3339(e.time_ns?)))
    })
    .costly(),
    Field::number("jevt.rawtime", "Epoch nanoseconds.", |e, _| {
        Some(Value::Number(e.time_ns?.into()))
    })
    .of_audit(),
];

type Extract = super::Extract;

const fn text(name: &'static str, doc: &'static str, extract: Extract) -> Field {
    Field::text(name, doc, extract).of_audit()
}

/// A list, or with an index one of it.
pub(super) const fn list(name: &'static str, doc: &'static str, extract: Extract) -> Field {
    Field::new(name, Kind::Text, doc, extract).many(Quantity::List).indexed().of_audit()
}

pub(super) fn audit(event: &Event) -> Option<&AuditEvent> {
    event.audit.as_deref()
}

pub(super) fn resource(event: &Event) -> Option<&str> {
    audit(event)?.object.as_ref()?.resource.as_deref()
}

fn request(event: &Event) -> Option<&Json> {
    audit(event)?.request()
}

/// The request's body, if it is about that resource itself.
fn of<'e>(event: &'e Event, wanted: &str) -> Option<&'e Json> {
    request(event).filter(|_| resource(event) == Some(wanted))
}

fn items(value: &Json) -> Option<&Vec<Json>> {
    value.as_array()
}

fn containers(event: &Event) -> impl Iterator<Item = &Json> {
    let list = of(event, "pods").and_then(|pod| items(pod.pointer("/spec/containers")?));
    list.into_iter().flatten()
}

fn volumes(event: &Event) -> impl Iterator<Item = &Json> {
    let list = of(event, "pods").and_then(|pod| items(pod.pointer("/spec/volumes")?));
    list.into_iter().flatten()
}

fn host_paths(event: &Event) -> impl Iterator<Item = Value<'_>> {
    volumes(event).filter_map(|volume| volume.pointer("/hostPath/path")).map(written)
}

/// That value of each container that has it.
fn each<'e>(event: &'e Event, pointer: &str) -> impl Iterator<Item = Value<'e>> {
    containers(event).filter_map(move |container| container.pointer(pointer)).map(written)
}

/// That value of each container, the pod's where it has none, root where neither has.
fn effective<'e>(event: &'e Event, pointer: &str) -> impl Iterator<Item = Value<'e>> {
    let whole = of(event, "pods").and_then(|pod| pod.get("spec")?.pointer(pointer));
    containers(event).map(move |container| {
        container.pointer(pointer).or(whole).map_or(Value::text("0"), written)
    })
}

fn pod<'e>(event: &'e Event, pointer: &str) -> Option<Value<'e>> {
    Some(written(of(event, "pods")?.get("spec")?.pointer(pointer)?))
}

fn of_rules<'e>(event: &'e Event, key: &str) -> impl Iterator<Item = Value<'e>> {
    let rules = request(event).and_then(|role| items(role.get("rules")?));
    let values = rules.into_iter().flatten().filter_map(move |rule| items(rule.get(key)?));
    values.flatten().map(written)
}

fn annotation<'e>(event: &'e Event, key: &str) -> Option<Value<'e>> {
    present(audit(event)?.json.get("annotations")?.get(key)?.as_str()?)
}

fn repository(image: Value<'_>) -> Value<'_> {
    Value::owned(super::origin::image_parts(&image.render()).0.to_owned())
}

fn truth(value: bool) -> Value<'static> {
    Value::text(if value { "true" } else { "false" })
}

/// A text as it is, anything else in JSON.
pub(super) fn written(value: &Json) -> Value<'_> {
    match value {
        Json::String(text) => Value::text(text),
        other => Value::owned(other.to_string()),
    }
}

/// All values, or the one of that index.
pub(super) fn part<'e>(
    mut values: impl Iterator<Item = Value<'e>>,
    argument: &Argument,
) -> Option<Value<'e>> {
    match argument {
        Argument::Index(index) => values.nth(*index),
        _ => {
            let all: Vec<_> = values.collect();
            (!all.is_empty()).then_some(Value::Many(all))
        }
    }
}

//! `obj.*`, ours: what a request to an API server asks for, workloads' pod templates like pods, patches like objects.
//! `obj.whole.*` is what came of it: of a patch, the answer's, so exceptions do not go by the part that a patch shows.
use super::ka::{audit, list, part, resource, written};
use super::{Argument, Field};
use crate::audit::workload::{self, containers};
use crate::value::{Kind, Quantity, Value};
use seawall_model::event::Event;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;

/// Steps of a path in a patch; Kubernetes' objects are a dozen deep.
const MAX_PATH_STEPS: usize = 64;

pub(super) static FIELDS: &[Field] = &[
    text("obj.workload", "The workload, or that of the pod: `Deployment/web`.", |e, _| {
        workload::name(audit(e)?).map(Value::owned)
    }),
    text("obj.name", "Name of the object, from the answer where the server made it.", |e, _| {
        audit(e)?.name().map(Value::text)
    }),
    boolean("obj.controlled", "Whether a controller owns the object.", |e, _| {
        audit(e)?;
        Some(Value::Bool(asked(e).is_some_and(|object| workload::owner(&object).is_some())))
    }),
    list("obj.labels", "Labels that the request sets: `name=value`.", |e, a| {
        pairs(asked(e)?.pointer("/metadata/labels")?, a)
    }),
    boolean("obj.pod.privileged", "Whether any container of the pod is privileged.", |e, _| {
        let privileged = |container: &Json| {
            container.pointer("/securityContext/privileged").and_then(Json::as_bool) == Some(true)
        };
        let spec = pod_spec(e)?;
        Some(Value::Bool(containers(&spec).any(privileged)))
    }),
    any("obj.pod.images", "Images of all containers.", |e, _| {
        let spec = pod_spec(e)?;
        many(containers(&spec).filter_map(|container| container.get("image")))
    }),
    list("obj.pod.repositories", "The images without tag and digest.", |e, a| {
        let spec = pod_spec(e)?;
        let images = containers(&spec).filter_map(|container| container.get("image")?.as_str());
        let names = images.map(|image| super::origin::image_parts(image).0.to_owned());
        part(names.map(Value::owned).collect::<Vec<_>>().into_iter(), a)
    }),
    any("obj.pod.hostpaths", "Paths of the node that the pod mounts.", |e, _| {
        let spec = pod_spec(e)?;
        let volumes = spec.get("volumes")?.as_array()?.iter();
        let paths = volumes.filter_map(|volume| volume.pointer("/hostPath/path")?.as_str());
        let paths: Vec<_> = paths.map(|path| Value::owned(plain(path))).collect();
        (!paths.is_empty()).then_some(Value::Many(paths))
    }),
    any("obj.pod.capabilities", "Capabilities added to any container.", |e, _| {
        let spec = pod_spec(e)?;
        let added = containers(&spec).filter_map(|container| {
            container.pointer("/securityContext/capabilities/add")?.as_array()
        });
        many(added.flatten())
    }),
    boolean("obj.pod.host_network", "Whether the pod has the node's network.", |e, _| {
        pod_spec(e)?.get("hostNetwork").and_then(Json::as_bool).map(Value::Bool)
    }),
    boolean("obj.pod.host_pid", "Whether the pod has the node's processes.", |e, _| {
        pod_spec(e)?.get("hostPID").and_then(Json::as_bool).map(Value::Bool)
    }),
    boolean("obj.pod.host_ipc", "Whether the pod has the node's IPC namespace.", |e, _| {
        pod_spec(e)?.get("hostIPC").and_then(Json::as_bool).map(Value::Bool)
    }),
    list(
        "obj.whole.repositories",
        "Images, less tag and digest, of the pod as it now is.",
        |e, a| {
            let images = containers(workload::whole_spec(audit(e)?)?).map(|container| {
                let image = container.get("image").and_then(Json::as_str).unwrap_or_default();
                Value::text(super::origin::image_parts(image).0)
            });
            part(images, a)
        },
    ),
    any(
        "obj.whole.commands",
        "Words of its commands, arguments, hooks and probes, without directories.",
        |e, _| {
            let words = workload::command_words(workload::whole_spec(audit(e)?)?);
            let names = words.map(|word| word.rsplit('/').next().unwrap_or(word));
            let names: Vec<_> = names.map(Value::text).collect();
            (!names.is_empty()).then_some(Value::Many(names))
        },
    ),
    boolean(
        "obj.whole.images_only",
        "Whether it runs nothing but its images' own programs.",
        |e, _| workload::whole_spec(audit(e)?).map(workload::runs_images_only).map(Value::Bool),
    ),
    boolean(
        "obj.whole.host_read_only",
        "Whether it mounts the node's paths read-only alone.",
        |e, _| workload::whole_spec(audit(e)?).map(workload::only_reads_node).map(Value::Bool),
    ),
    text(
        "obj.binding.role",
        "Role of a binding, from the answer where a patch leaves it out.",
        |e, _| {
            let of = |body: &Json| body.pointer("/roleRef/name")?.as_str().map(str::to_owned);
            let event = audit(e)?;
            asked(e).and_then(|body| of(&body)).or_else(|| of(event.response()?)).map(Value::owned)
        },
    ),
    list("obj.binding.subjects", "Subjects that the request sets: `Group:devs`.", |e, a| {
        let body = asked(e)?;
        let subjects = body.get("subjects")?.as_array()?.iter().map(|subject| {
            let part = |key: &str| subject.get(key).and_then(Json::as_str).unwrap_or_default();
            match part("namespace") {
                "" => format!("{}:{}", part("kind"), part("name")),
                namespace => format!("{}:{namespace}/{}", part("kind"), part("name")),
            }
        });
        part(subjects.map(Value::owned).collect::<Vec<_>>().into_iter(), a)
    }),
    text("obj.service.type", "Type of a Service.", |e, _| {
        let service = asked(e).filter(|_| resource(e) == Some("services"))?;
        Some(Value::owned(service.pointer("/spec/type")?.as_str()?.to_owned()))
    }),
    boolean("obj.service.internal", "Whether annotations keep a load balancer private.", |e, _| {
        (resource(e)? == "services").then_some(())?;
        let private = |body: &Json| {
            let annotations = body.pointer("/metadata/annotations").and_then(Json::as_object);
            annotations.into_iter().flatten().any(|(name, value)| {
                let value = value.as_str().unwrap_or_default();
                PRIVATE.iter().any(|(known, wanted)| {
                    name == known && wanted.iter().any(|word| value.eq_ignore_ascii_case(word))
                })
            })
        };
        Some(Value::Bool(bodies(e).any(|body| private(&body))))
    }),
    list("obj.service.selector", "What a Service selects: `name=value`.", |e, a| {
        (resource(e)? == "services").then_some(())?;
        bodies(e).find_map(|body| pairs(body.pointer("/spec/selector")?, a))
    }),
    list(
        "obj.service.external_ips",
        "Outer addresses that the request gives a Service.",
        |e, a| {
            let service = asked(e).filter(|_| resource(e) == Some("services"))?;
            let addresses = service.pointer("/spec/externalIPs")?.as_array()?.iter();
            let addresses: Vec<_> =
                addresses.map(|address| written(address).into_owned()).collect();
            part(addresses.into_iter(), a)
        },
    ),
    list("obj.ingress.services", "Services behind an Ingress or a route.", |e, a| {
        let body = asked(e)?;
        let names = match resource(e)? {
            "ingresses" => ingress_services(&body),
            "httproutes" | "tcproutes" | "tlsroutes" | "grpcroutes" => {
                let rules = body.pointer("/spec/rules")?.as_array()?.iter();
                let backends = rules.filter_map(|rule| rule.get("backendRefs")?.as_array());
                backends.flatten().filter_map(|backend| name_of(backend.get("name"))).collect()
            }
            "routes" => name_of(body.pointer("/spec/to/name")).into_iter().collect(),
            _ => return None,
        };
        part(names.into_iter().map(Value::owned), a)
    }),
];

/// Annotations that keep a load balancer off the Internet, in small letters. Sources: the clouds' own manuals.
const PRIVATE: [(&str, &[&str]); 6] = [
    ("service.beta.kubernetes.io/azure-load-balancer-internal", &["true"]),
    ("networking.gke.io/load-balancer-type", &["internal"]),
    ("cloud.google.com/load-balancer-type", &["internal"]),
    ("service.beta.kubernetes.io/aws-load-balancer-internal", &["true", "0.0.0.0/0"]),
    ("service.beta.kubernetes.io/aws-load-balancer-scheme", &["internal"]),
    ("service.beta.kubernetes.io/openstack-internal-load-balancer", &["true"]),
];

const fn text(name: &'static str, doc: &'static str, extract: super::Extract) -> Field {
    Field::text(name, doc, extract).costly().of_audit()
}

const fn boolean(name: &'static str, doc: &'static str, extract: super::Extract) -> Field {
    Field::boolean(name, doc, extract).costly().of_audit()
}

/// Several values of which one decides.
const fn any(name: &'static str, doc: &'static str, extract: super::Extract) -> Field {
    Field::new(name, Kind::Text, doc, extract).many(Quantity::Any).costly().of_audit()
}

/// What the request asks for: an object or the part of one that a patch sets. Where the log has no request, the answer.
fn asked(event: &Event) -> Option<Cow<'_, Json>> {
    let audit = audit(event)?;
    match audit.request() {
        Some(Json::Array(operations)) => Some(Cow::Owned(patched(operations))),
        Some(body) => Some(Cow::Borrowed(body)),
        None => audit.response().map(Cow::Borrowed),
    }
}

/// What was asked for, then what came of it.
fn bodies(event: &Event) -> impl Iterator<Item = Cow<'_, Json>> {
    let answer = audit(event).and_then(|audit| audit.response());
    asked(event).into_iter().chain(answer.map(Cow::Borrowed))
}

fn pod_spec(event: &Event) -> Option<Cow<'_, Json>> {
    let at = workload::of_resource(resource(event)?)?.pod_spec;
    match asked(event)? {
        Cow::Borrowed(object) => object.pointer(at).map(Cow::Borrowed),
        Cow::Owned(mut object) => object.pointer_mut(at).map(|spec| Cow::Owned(spec.take())),
    }
}

fn many<'e, 'j>(values: impl Iterator<Item = &'j Json>) -> Option<Value<'e>> {
    let all: Vec<_> = values.map(|value| written(value).into_owned()).collect();
    (!all.is_empty()).then_some(Value::Many(all))
}

fn pairs<'e>(entries: &Json, argument: &Argument) -> Option<Value<'e>> {
    let pairs = entries.as_object()?.iter().map(|(name, value)| {
        Value::owned(format!("{name}={}", value.as_str().unwrap_or_default()))
    });
    part(pairs.collect::<Vec<_>>().into_iter(), argument)
}

fn name_of(name: Option<&Json>) -> Option<String> {
    name?.as_str().map(str::to_owned)
}

fn ingress_services(ingress: &Json) -> Vec<String> {
    let rules = ingress.pointer("/spec/rules").and_then(Json::as_array).into_iter().flatten();
    let paths = rules.filter_map(|rule| rule.pointer("/http/paths")?.as_array()).flatten();
    let backends = paths.filter_map(|path| path.get("backend"));
    let defaults = ["/spec/defaultBackend", "/spec/backend"];
    let all = backends.chain(defaults.iter().filter_map(|at| ingress.pointer(at)));
    // The old form has the name beside the port.
    all.filter_map(|backend| {
        name_of(backend.pointer("/service/name").or_else(|| backend.get("serviceName")))
    })
    .collect()
}

/// `//var/./run/` is `/var/run`.
fn plain(path: &str) -> String {
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    format!("/{}", parts.join("/"))
}

/// What a JSON patch sets, as the part of an object that holds it. Elements of lists stand in the order of the
/// operations: their places are those of an object that is not here. Source: RFC 6902.
fn patched(operations: &[Json]) -> Json {
    let mut object = Json::Object(Map::new());
    for operation in operations {
        let of = |key: &str| operation.get(key).and_then(Json::as_str);
        let (Some("add" | "replace"), Some(path)) = (of("op"), of("path")) else { continue };
        let steps: Vec<String> = path
            .split('/')
            .skip(1)
            .map(|step| step.replace("~1", "/").replace("~0", "~"))
            .collect();
        if let Some(value) = operation.get("value").filter(|_| steps.len() <= MAX_PATH_STEPS) {
            *place(&mut object, &steps) = value.clone();
        }
    }
    object
}

/// Where the path leads, made on the way.
fn place<'o>(mut at: &'o mut Json, steps: &[String]) -> &'o mut Json {
    for step in steps {
        let is_index = step == "-" || step.parse::<u32>().is_ok();
        at = match at {
            Json::Object(entries) => entries.entry(step.as_str()).or_insert(Json::Null),
            at if is_index => {
                if !at.is_array() {
                    *at = Json::Array(Vec::new());
                }
                let items = at.as_array_mut().expect("made one above");
                items.push(Json::Null);
                items.last_mut().expect("pushed above")
            }
            at => {
                *at = Json::Object(Map::new());
                &mut at[step.as_str()]
            }
        };
    }
    at
}

//! Why the API server would refuse a pod spec, as far as fixes can cause it.
//!
//! Source: kubernetes `pkg/apis/core/validation`: ValidateSecurityContext, ValidateContainerResourceRequirements,
//! validatePodResources, validateMountPropagation, validateEphemeralContainers, validateWindows,
//! ValidateWindowsSecurityContextOptions, validateHostUsers.
use crate::pointer;
use crate::quantity::amount;
use crate::workload::View;
use serde_json::{Value, json};

/// Fields of a container's security context that pods of Windows may not set.
const LINUX_ONLY: [&str; 9] = [
    "allowPrivilegeEscalation",
    "appArmorProfile",
    "capabilities",
    "privileged",
    "procMount",
    "readOnlyRootFilesystem",
    "runAsGroup",
    "seLinuxOptions",
    "seccompProfile",
];
/// Fields of a pod's security context that pods of Windows may not set; `runAsUser` neither there nor below.
const LINUX_ONLY_POD: [&str; 10] = [
    "appArmorProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "runAsGroup",
    "runAsUser",
    "seLinuxOptions",
    "seccompProfile",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "sysctls",
];

/// Each reason as a sentence's part; none where the API server takes the pod spec, or the object has none.
pub(crate) fn refused(view: &View<'_>) -> Vec<String> {
    let Some(spec) = view.pod_spec() else { return Vec::new() };
    let mut reasons = Vec::new();
    let windows = pointer::get(spec, "/os/name") == Some(&json!("windows"));
    if windows {
        for field in set(spec.get("securityContext"), &LINUX_ONLY_POD) {
            reasons.push(format!("pods of Windows may not set securityContext.{field}"));
        }
    }
    host_process(spec, &mut reasons);
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in spec.get(list).and_then(Value::as_array).into_iter().flatten() {
            let name = container.get("name").and_then(Value::as_str).unwrap_or_default();
            let mut told: Vec<String> = Vec::new();
            security_context(container, &mut told);
            resources(container, spec, &mut told);
            let unmasked =
                pointer::get(container, "/securityContext/procMount") == Some(&json!("Unmasked"));
            if unmasked && spec.get("hostUsers") != Some(&Value::Bool(false)) {
                told.push("has an unmasked /proc, which needs hostUsers false".to_owned());
            }
            if list == "ephemeralContainers" && container.get("resources").is_some() {
                told.push("is ephemeral and may not have resources".to_owned());
            }
            if windows {
                let context = container.get("securityContext");
                let fields = set(context, &LINUX_ONLY).chain(set(context, &["runAsUser"]));
                told.extend(
                    fields.map(|field| format!("sets {field}, which pods of Windows may not")),
                );
            }
            reasons.extend(told.into_iter().map(|told| format!("container {name} {told}")));
        }
    }
    reasons
}

/// Containers of Windows with the rights of their node stand in pods of nothing else, on its network.
fn host_process(spec: &Value, reasons: &mut Vec<String>) {
    let pointer = "/securityContext/windowsOptions/hostProcess";
    let whole = pointer::get(spec, pointer);
    let containers = ["containers", "initContainers", "ephemeralContainers"]
        .into_iter()
        .filter_map(|list| spec.get(list)?.as_array())
        .flatten();
    let rights: Vec<bool> = containers
        .map(|container| pointer::get(container, pointer).or(whole) == Some(&Value::Bool(true)))
        .collect();
    if !rights.contains(&true) {
        return;
    }
    if rights.contains(&false) {
        reasons.push("all containers or none are hostProcess".to_owned());
    }
    if spec.get("hostNetwork") != Some(&Value::Bool(true)) {
        reasons.push("hostProcess containers need hostNetwork, mend them first".to_owned());
    }
}

/// Those of `fields` that `context` sets.
fn set<'f>(context: Option<&Value>, fields: &'f [&'f str]) -> impl Iterator<Item = &'f str> {
    let members = context.and_then(Value::as_object).cloned().unwrap_or_default();
    fields.iter().copied().filter(move |field| members.contains_key(*field))
}

fn security_context(container: &Value, told: &mut Vec<String>) {
    let at = |pointer: &str| pointer::get(container, pointer);
    let privileged = at("/securityContext/privileged") == Some(&Value::Bool(true));
    let admin = at("/securityContext/capabilities/add")
        .and_then(Value::as_array)
        .is_some_and(|added| added.contains(&json!("CAP_SYS_ADMIN")));
    let confined = at("/securityContext/allowPrivilegeEscalation") == Some(&Value::Bool(false));
    if confined && (privileged || admin) {
        let why = if privileged { "is privileged" } else { "adds CAP_SYS_ADMIN" };
        told.push(format!("{why}, mend that first: the API server refuses both together"));
    }
    let mut mounts = at("/volumeMounts").and_then(Value::as_array).into_iter().flatten();
    let shared = mounts.any(|mount| mount.get("mountPropagation") == Some(&json!("Bidirectional")));
    if !privileged && shared {
        told.push("has a Bidirectional mount, which only privileged containers may".to_owned());
    }
}

fn resources(container: &Value, spec: &Value, told: &mut Vec<String>) {
    let limits = pointer::get(container, "/resources/limits").and_then(Value::as_object);
    let exceeds = |a: Option<&Value>, b: Option<&Value>| {
        let (a, b) = (a.and_then(amount), b.and_then(amount));
        a.zip(b).is_some_and(|(a, b)| a > b)
    };
    for (resource, limit) in limits.into_iter().flatten() {
        let request =
            pointer::get(container, "/resources/requests").and_then(|own| own.get(resource));
        if exceeds(request, Some(limit)) {
            told.push(format!(
                "requests more {resource} than the suggested limit: choose one yourself"
            ));
        }
        let whole = pointer::get(spec, "/resources/limits").and_then(|limits| limits.get(resource));
        if exceeds(Some(limit), whole) {
            told.push(format!("would have more {resource} than the limit of its pod: mend that"));
        }
    }
}

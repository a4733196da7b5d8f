//! What `ka.*`, `jevt.*` and `obj.*` give of a record.
use super::rule_set_of;
use seawall_model::event::Event;
use seawall_rules::audit::Decoder;
use serde_json::{Value, json};

fn event(record: &Value) -> Event {
    let decoded = Decoder::default().decode(record.to_string().as_bytes());
    assert_eq!(decoded.problems, [], "{record}");
    Event::of_audit(decoded.events[0].event.clone(), 1)
}

fn request(verb: &str, resource: &str, body: Value) -> Value {
    json!({
        "kind": "Event", "apiVersion": "audit.k8s.io/v1", "auditID": "a1", "stage": "ResponseComplete", "verb": verb,
        "requestURI": "/api/v1/x?fieldManager=helm&dryRun=", "user": {"username": "alice", "groups": ["devs", "ops"]},
        "sourceIPs": ["203.0.113.7"], "userAgent": "kubectl/v1.34",
        "objectRef": {"resource": resource, "namespace": "shop", "name": "web"},
        "responseStatus": {"code": 201, "reason": "Created"}, "requestObject": body,
        "stageTimestamp": "2026-11-25T03:00:01.5Z",
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": "RBAC"},
    })
}

#[track_caller]
fn check(record: &Value, rows: &[(&str, bool)]) {
    let event = event(record);
    for (condition, expected) in rows {
        let set = rule_set_of("k8s_audit", condition);
        let fired = set.evaluate(&event, &mut set.state());
        assert_eq!(!fired.is_empty(), *expected, "{condition}\n{record:#}");
    }
}

#[test]
fn a_request_says_who_did_what() {
    let mut record = request("create", "pods", json!(null));
    record["impersonatedUser"] = json!({"username": "bob"});
    record["objectRef"]["subresource"] = "exec".into();
    record["responseObject"] = json!({"metadata": {"name": "web-x"}});
    check(
        &record,
        &[
            ("ka.auditid = a1 and ka.stage = ResponseComplete and ka.verb = create", true),
            ("ka.auth.decision = allow and ka.auth.reason = RBAC", true),
            ("ka.user.name = alice and ka.impuser.name = bob", true),
            ("ka.user.groups intersects (ops)", true),
            ("ka.user.groups in (ops)", false),
            ("ka.user.groups[1] = ops and not ka.user.groups[2] exists", true),
            ("ka.uri startswith /api/v1/ and ka.uri.param[fieldManager] = helm", true),
            ("ka.uri.param[dryRun] exists and not ka.uri.param[watch] exists", true),
            ("ka.target.name = web and ka.target.namespace = shop", true),
            ("ka.target.resource = pods and ka.target.subresource = exec", true),
            ("ka.target.pod.name = web and ka.resp.name = web-x", true),
            ("ka.response.code = 201 and ka.response.code startswith 2", true),
            ("ka.response.code >= 200 and ka.response.code < 300", true),
            ("ka.response.code < 201 or ka.response.code in (200, 204)", false),
            ("ka.response.reason = Created and ka.useragent startswith kubectl", true),
            ("ka.sourceips intersects (203.0.113.7) and ka.sourceips[0] = 203.0.113.7", true),
            ("ka.cluster.name exists", false),
            ("jevt.value[/objectRef/name] = web and jevt.value[/user/groups/0] = devs", true),
            (
                "jevt.value[/responseStatus/code] = 201 and jevt.value[/responseStatus/code] < 300",
                true,
            ),
            ("jevt.value[/nothing] exists or jevt.value[/requestObject] exists", false),
            ("jevt.time = 03:00:01.500000000 and jevt.rawtime = 1795575601500000000", true),
            ("jevt.obj contains a1 and evt.type = pluginevent and evt.source = k8s_audit", true),
            ("evt.time.iso8601 = 2026-11-25T03:00:01.500000000Z", true),
            // Of system calls an audit record has nothing, not even the zero of a missing process.
            ("user.uid = 0 or proc.pid exists or container.id = host or evt.res exists", false),
        ],
    );
}

fn pod_spec() -> Value {
    json!({
        "hostNetwork": true, "hostPID": true,
        "securityContext": {"runAsUser": 7, "fsGroup": 9, "supplementalGroups": [1, 2]},
        "initContainers": [{"name": "i", "image": "localhost:5000/init@sha256:00", "securityContext": {"privileged": true}}],
        "containers": [
            {"name": "a", "image": "nginx:1.27", "ports": [{"hostPort": 80}], "securityContext": {
                "privileged": false, "allowPrivilegeEscalation": false, "capabilities": {"add": ["NET_ADMIN"]}}},
            {"name": "b", "image": "quay.io/x/y", "securityContext": {"runAsUser": 8, "readOnlyRootFilesystem": true}},
        ],
        "volumes": [{"name": "v", "hostPath": {"path": "/var//run/./docker.sock/"}}, {"name": "w", "emptyDir": {}}],
    })
}

#[test]
fn a_pod_is_read_as_falco_reads_it() {
    check(
        &request("create", "pods", json!({"spec": pod_spec()})),
        &[
            ("ka.req.pod.containers.image intersects (nginx:1.27)", true),
            (
                "ka.req.pod.containers.image[1] = quay.io/x/y and ka.req.container.image = nginx:1.27",
                true,
            ),
            ("ka.req.pod.containers.image.repository in (nginx, quay.io/x/y)", true),
            ("ka.req.container.image.repository = nginx", true),
            ("ka.req.pod.host_network intersects (true) and ka.req.pod.host_pid = true", true),
            ("ka.req.pod.host_ipc exists", false),
            ("ka.req.pod.containers.host_port intersects (80)", true),
            ("ka.req.pod.containers.privileged intersects (true)", false),
            ("ka.req.container.privileged = false", true),
            ("ka.req.pod.containers.allow_privilege_escalation in (false)", true),
            ("ka.req.pod.containers.read_only_fs in (true)", true),
            ("ka.req.pod.run_as_user = 7 and ka.req.pod.containers.run_as_user in (8)", true),
            ("ka.req.pod.containers.eff_run_as_user[0] = 7", true),
            ("ka.req.pod.containers.eff_run_as_group in (0)", true),
            ("ka.req.pod.fs_group = 9 and ka.req.pod.supplemental_groups in (1, 2)", true),
            ("ka.req.pod.containers.add_capabilities intersects (NET_ADMIN)", true),
            ("ka.req.pod.volumes.hostpath exists and ka.req.volume.hostpath[/var*] = true", true),
            ("ka.req.volume.hostpath[/etc] = true", false),
            ("ka.req.pod.volumes.volume_type in (hostPath, emptyDir)", true),
            ("ka.req.pod.containers.proc_mount exists", false),
        ],
    );
}

const OURS: [(&str, bool); 9] = [
    ("obj.pod.privileged = true", true),
    ("obj.pod.images = nginx:1.27 and obj.pod.images startswith quay.io", true),
    ("obj.pod.repositories in (nginx, quay.io/x/y, localhost:5000/init)", true),
    ("obj.pod.repositories in (nginx, quay.io/x/y)", false),
    ("obj.pod.hostpaths = /var/run/docker.sock", true),
    ("obj.pod.hostpaths pmatch (/var/run) and obj.pod.hostpaths pmatch (/etc)", false),
    ("obj.pod.capabilities = NET_ADMIN", true),
    ("obj.pod.host_network = true and obj.pod.host_pid = true", true),
    ("obj.pod.host_ipc exists", false),
];

#[test]
fn every_workload_s_pods_are_seen() {
    let wrapped = [
        ("pods", json!({"spec": pod_spec()})),
        ("deployments", json!({"spec": {"template": {"spec": pod_spec()}}})),
        ("daemonsets", json!({"spec": {"template": {"spec": pod_spec()}}})),
        ("statefulsets", json!({"spec": {"template": {"spec": pod_spec()}}})),
        ("replicasets", json!({"spec": {"template": {"spec": pod_spec()}}})),
        ("replicationcontrollers", json!({"spec": {"template": {"spec": pod_spec()}}})),
        ("jobs", json!({"spec": {"template": {"spec": pod_spec()}}})),
        (
            "cronjobs",
            json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": pod_spec()}}}}}),
        ),
        ("podtemplates", json!({"template": {"spec": pod_spec()}})),
    ];
    for (resource, body) in wrapped {
        check(&request("create", resource, body.clone()), &OURS);
        // Where the policy keeps only answers.
        let mut answer = request("create", resource, json!(null));
        answer["responseObject"] = body;
        check(&answer, &OURS);
    }
    check(
        &request("create", "services", json!({"spec": pod_spec()})),
        &[("obj.pod.privileged exists", false), ("obj.workload exists", false)],
    );
}

#[test]
fn a_whole_pod_is_the_request_s_or_the_answer_to_a_patch() {
    let spec = json!({
        "initContainers": [{"image": "init:1", "command": ["/bin/sh", "-c"]}],
        "containers": [{"image": "quay.io/x/y@sha256:00", "args": ["/opt/run"], "volumeMounts": [{"name": "v"}]}, {"name": "no image"}],
        "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
    });
    let template = json!({"spec": {"template": {"spec": spec}}});
    let harmless = json!({"spec": {"template": {"spec": {"containers": [{"image": "a"}]}}}});
    let rows = |expected: bool| {
        [
            ("obj.whole.repositories in (init, quay.io/x/y, \"\")", expected),
            ("obj.whole.repositories in (init, quay.io/x/y)", false),
            (
                "obj.whole.commands = sh and obj.whole.commands = -c and obj.whole.commands = run",
                expected,
            ),
            ("obj.whole.commands in (bash, /bin/sh)", false),
            ("obj.whole.images_only = false and obj.whole.host_read_only = false", expected),
        ]
    };
    let harmless_rows = [
        ("obj.whole.repositories in (a) and not obj.whole.commands exists", true),
        ("obj.whole.images_only = true and obj.whole.host_read_only = true", true),
    ];
    for verb in ["create", "update", "patch"] {
        // What a patch creates is whole.
        let mut record = request(verb, "deployments", template.clone());
        record["responseObject"] = harmless.clone();
        check(&record, &rows(true));
        record["responseStatus"]["code"] = 200.into();
        if verb != "patch" {
            check(&record, &rows(true));
            record["requestObject"] = Value::Null;
            check(&record, &harmless_rows);
            continue;
        }
        check(&record, &harmless_rows);
        record["requestObject"] =
            json!([{"op": "add", "path": "/spec/template/spec", "value": spec}]);
        check(&record, &harmless_rows);
        record["responseObject"] = json!({"kind": "Status"});
        let unknown = "obj.whole.repositories exists or obj.whole.images_only exists";
        check(&record, &[(unknown, false)]);
    }
    check(&request("create", "services", template), &[("obj.whole.host_read_only exists", false)]);
}

#[test]
fn patches_are_read_as_what_they_set() {
    let path = "/spec/template/spec/containers/0/securityContext";
    for patch in [
        json!({"spec": {"template": {"spec": {"containers": [{"name": "a", "securityContext": {"privileged": true}}]}}}}),
        json!([{"op": "add", "path": path, "value": {"privileged": true}}]),
        json!([{"op": "test", "path": "/a", "value": 1}, {"op": "replace", "path": format!("{path}/privileged"), "value": true}]),
        json!([{"op": "add", "path": "/spec/template/spec/containers/-", "value": {"securityContext": {"privileged": true}}}]),
    ] {
        check(&request("patch", "deployments", patch), &[("obj.pod.privileged = true", true)]);
    }
    for patch in [
        json!([{"op": "remove", "path": path}]),
        json!([{"op": "add", "path": "", "value": 7}]),
        json!([{"op": "add", "path": format!("/{}", "a/".repeat(100)), "value": true}]),
        json!([7, null, {"op": 1}]),
        json!({"metadata": {"labels": {"a": "b"}}}),
    ] {
        check(&request("patch", "deployments", patch), &[("obj.pod.privileged = true", false)]);
    }
    // What is there already, the patch has not asked for.
    let mut label = request("patch", "deployments", json!({"metadata": {"labels": {"a": "b"}}}));
    label["responseObject"] = json!({"spec": {"template": {"spec": pod_spec()}}});
    check(
        &label,
        &[("obj.pod.privileged = true", false), ("obj.labels intersects (\"a=b\")", true)],
    );
}

#[test]
fn roles_services_and_routes_are_read() {
    let binding = json!({
        "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"kind": "Group", "name": "devs"}, {"kind": "ServiceAccount", "name": "ci", "namespace": "build"}],
    });
    check(
        &request("create", "clusterrolebindings", binding.clone()),
        &[
            ("ka.req.binding.role = cluster-admin and obj.binding.role = cluster-admin", true),
            (
                "ka.req.binding.subjects exists and ka.req.binding.subject.has_name[devs] = true",
                true,
            ),
            ("obj.binding.subjects in (Group:devs, ServiceAccount:build/ci)", true),
        ],
    );
    let mut patch =
        request("patch", "clusterrolebindings", json!({"subjects": binding["subjects"]}));
    patch["responseObject"] = binding;
    check(
        &patch,
        &[("ka.req.binding.role exists", false), ("obj.binding.role = cluster-admin", true)],
    );
    check(
        &request(
            "create",
            "roles",
            json!({"rules": [{"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["*"]}]}),
        ),
        &[
            ("ka.req.role.rules.verbs intersects (\"*\")", true),
            ("ka.req.role.rules.resources intersects (pods/exec)", true),
            ("ka.req.role.rules.apiGroups intersects (apps)", false),
            ("ka.req.role.rules[0] contains pods/exec", true),
        ],
    );
    let service = json!({
        "metadata": {"annotations": {"networking.gke.io/load-balancer-type": "Internal"}, "labels": {"app": "ui"}},
        "spec": {"type": "LoadBalancer", "selector": {"app": "ui"}, "ports": [{"port": 80}]},
    });
    check(
        &request("create", "services", service),
        &[
            ("ka.req.service.type = LoadBalancer and obj.service.type = LoadBalancer", true),
            ("ka.req.service.ports[0] contains 80 and obj.service.internal = true", true),
            (
                "obj.service.selector intersects (\"app=ui\") and obj.labels intersects (\"app=ui\")",
                true,
            ),
        ],
    );
    let at = "/spec/externalIPs";
    for (verb, body, given) in [
        ("create", json!({"spec": {"externalIPs": ["203.0.113.9"]}}), true),
        ("patch", json!({"spec": {"externalIPs": ["203.0.113.9"]}}), true),
        ("patch", json!([{"op": "add", "path": at, "value": ["203.0.113.9"]}]), true),
        ("patch", json!([{"op": "add", "path": format!("{at}/-"), "value": "203.0.113.9"}]), true),
        ("patch", json!([{"op": "replace", "path": at, "value": []}]), false),
        ("patch", json!([{"op": "remove", "path": at}]), false),
        ("create", json!({"spec": {"externalIPs": null}}), false),
    ] {
        let rows = [
            ("obj.service.external_ips in (203.0.113.9)", given),
            ("obj.service.external_ips exists", given),
        ];
        check(&request(verb, "services", body), &rows);
    }
    let ingress = json!({"spec": {
        "defaultBackend": {"service": {"name": "d"}},
        "rules": [{"http": {"paths": [{"backend": {"service": {"name": "a"}}}, {"backend": {"serviceName": "old"}}]}}],
    }});
    check(
        &request("create", "ingresses", ingress),
        &[
            ("obj.ingress.services in (a, old, d)", true),
            ("obj.ingress.services intersects (b)", false),
        ],
    );
    check(
        &request(
            "create",
            "httproutes",
            json!({"spec": {"rules": [{"backendRefs": [{"name": "a"}]}]}}),
        ),
        &[("obj.ingress.services in (a)", true)],
    );
    check(
        &request("create", "configmaps", json!({"metadata": {"name": "c"}, "data": {"a": "b"}})),
        &[("ka.req.configmap.name = c and ka.req.configmap.obj contains a", true)],
    );
}

#[test]
fn pods_are_told_by_their_workload() {
    let pod = |owner: Value, labels: Value| {
        let metadata = json!({"generateName": "x-", "ownerReferences": [owner], "labels": labels});
        request("create", "pods", json!({"metadata": metadata}))
    };
    let replica_set = json!({"kind": "ReplicaSet", "name": "web-5cd", "controller": true});
    check(
        &pod(replica_set.clone(), json!({"pod-template-hash": "5cd"})),
        &[("obj.workload = Deployment/web and obj.controlled = true", true)],
    );
    check(&pod(replica_set, json!({})), &[("obj.workload = ReplicaSet/web-5cd", true)]);
    let job = json!({"kind": "Job", "name": "once", "controller": false});
    check(&pod(job, json!({})), &[("obj.workload exists or obj.controlled = true", false)]);
    check(
        &request("create", "deployments", json!({})),
        &[("obj.workload = Deployment/web and obj.controlled = false", true)],
    );
}

//! A watched cluster: whatever changed, what is said in the end is what a scan of the same objects says.
use crate::content::catalogue;
use seawall_model::finding::{ControlFinding, State};
use seawall_posture::live::Live;
use seawall_posture::objects::Objects;
use seawall_posture::owners::{Role, role};
use seawall_posture::world::World;
use seawall_posture::{Request, Selection, groups};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A cluster, and what is said of it as it changes.
struct Watched {
    objects: Objects,
    live: Live,
    uids: Vec<String>,
}

impl Watched {
    fn new(selection: &Selection) -> Self {
        let live = Live::new(selection, Some("1.36".to_owned()));
        Self { objects: Objects::default(), live, uids: Vec::new() }
    }

    /// Objects of one name are one object.
    fn apply(&mut self, object: &Value) {
        let mut object = object.clone();
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or("");
        let version = text("/apiVersion").split_once('/').map_or("", |(group, _)| group);
        let place = [version, text("/kind"), text("/metadata/namespace"), text("/metadata/name")];
        let uid = match text("/metadata/uid") {
            "" => place.join("|"),
            uid => uid.to_owned(),
        };
        object["metadata"]["uid"] = json!(uid);
        let applied = self.objects.apply(&serde_json::to_vec(&object).unwrap()).unwrap();
        if applied.changed {
            let before = applied.before.map(|bytes| serde_json::from_slice(&bytes).unwrap());
            self.live.changed(&self.objects, before.as_ref(), Some(&applied.object));
        }
        if !self.uids.contains(&uid) {
            self.uids.push(uid);
        }
    }

    fn remove(&mut self, index: usize) {
        let uid = self.uids.swap_remove(index);
        let before = self.objects.parse(&uid);
        self.objects.remove(&uid);
        self.live.changed(&self.objects, before.as_ref(), None);
    }

    fn flush(&mut self) {
        while self.live.has_work() {
            self.live.flush(&self.objects, 3);
        }
    }

    fn told(&self) -> BTreeMap<String, Value> {
        let verdicts = self.live.keys().filter_map(|key| self.live.verdict(key));
        told(verdicts.flat_map(|verdict| verdict.findings().collect::<Vec<_>>()))
    }

    /// What a scan of the objects that answer for themselves says.
    fn scanned(&self, selection: &Selection) -> BTreeMap<String, Value> {
        let answers = |uid: &&String| {
            !matches!(
                role(&self.objects, uid),
                Role::Represented { .. } | Role::Injected { .. } | Role::Skipped
            )
        };
        let mut uids: Vec<&String> = self.uids.iter().filter(answers).collect();
        uids.sort();
        let values: Vec<Value> =
            uids.into_iter().filter_map(|uid| self.objects.parse(uid)).collect();
        let world = World::new(&values, true).with_kubernetes(Some("1.36"));
        told(selection.evaluate_world(&world, &|_| None))
    }
}

fn told(findings: impl IntoIterator<Item = ControlFinding>) -> BTreeMap<String, Value> {
    let tell = |finding: ControlFinding| {
        let resource = &finding.resource;
        let of = format!("{} {resource:?}", finding.control);
        let mut evidence: Vec<String> =
            finding.evidence.iter().map(|evidence| format!("{evidence:?}")).collect();
        evidence.sort();
        let message: BTreeMap<&str, ()> = finding
            .message
            .iter()
            .flat_map(|message| message.split("; "))
            .map(|part| (part, ()))
            .collect();
        let said =
            json!([finding.state, finding.reason, message.keys().collect::<Vec<_>>(), evidence]);
        (of, said)
    };
    findings.into_iter().map(tell).collect()
}

#[test]
fn what_is_watched_is_judged_as_what_is_scanned() {
    let selection = catalogue().select(&Request::default()).unwrap();
    let mut watched = Watched::new(&selection);
    let mut dice = 7_usize;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let (mut steps, mut findings, mut unhealthy) = (0, 0, 0);
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
    for control in &catalogue().controls {
        for group in groups(control) {
            group.iter().for_each(|object| watched.apply(object));
            while watched.uids.len() > 25 {
                let index = roll(watched.uids.len());
                watched.remove(index);
            }
            steps += 1;
            watched.flush();
            if roll(6) == 0 {
                let (told, scanned) = (watched.told(), watched.scanned(&selection));
                findings += told.len();
                unhealthy +=
                    told.values().filter(|said| said[0] == json!(State::Unhealthy)).count();
                for of in scanned.keys().chain(told.keys()) {
                    if told.get(of) != scanned.get(of) {
                        let id = of.split(' ').next().unwrap().to_owned();
                        let (told, scanned) = (told.get(of), scanned.get(of));
                        let differs =
                            format!("{}: {of}: {told:?}, scanned {scanned:?}", control.id);
                        wrong.entry(id).or_insert(differs);
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(steps > 150 && findings > 1_000 && unhealthy > 100, "{steps} {findings} {unhealthy}");
}

/// One of the objects that say who reaches whom, in one of three namespaces, different every time.
fn of_network(roll: &mut impl FnMut(usize) -> usize) -> Value {
    let namespaces = ["shop", "bank", "edge"];
    let namespace = namespaces[roll(3)];
    let metadata = json!({"name": format!("n{}", roll(2)), "namespace": namespace});
    let (app, other) = (["web", "api", "door"][roll(3)], namespaces[roll(3)]);
    let object = |api_version: &str, kind: &str, spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec});
    match roll(8) {
        0 | 1 => object(
            "apps/v1",
            "Deployment",
            json!({"template": {"metadata": {"labels": {"app": app}},
            "spec": {"containers": [{"name": "a", "image": "grafana/grafana:1"}]}}}),
        ),
        2 | 3 => {
            let kind = ["ClusterIP", "LoadBalancer", "NodePort"][roll(3)];
            object(
                "v1",
                "Service",
                json!({"type": kind, "selector": {"app": app}, "ports": [{"port": 80}]}),
            )
        }
        4 => object(
            "networking.istio.io/v1",
            "Gateway",
            json!({"selector": {"app": app, "istio": "door"}}),
        ),
        5 => object(
            "networking.istio.io/v1",
            "VirtualService",
            json!({"gateways": [format!("edge/n{}", roll(2))],
            "http": [{"route": [{"destination": {"host": format!("n{}.{other}.svc", roll(2))}}]}]}),
        ),
        6 => object(
            "gateway.networking.k8s.io/v1",
            "HTTPRoute",
            json!({"parentRefs": [{"name": "n0", "namespace": "edge"}],
            "rules": [{"backendRefs": [{"name": "n0", "namespace": other}]}]}),
        ),
        _ => {
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "ReferenceGrant", "metadata": metadata, "spec": {
            "from": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "namespace": other}],
            "to": [{"group": "", "kind": "Service"}]}})
        }
    }
}

#[test]
fn whatever_leads_to_a_service_it_is_judged_as_what_is_scanned() {
    let selection = catalogue().select(&Request::default()).unwrap();
    let mut watched = Watched::new(&selection);
    let mut dice = 11_usize;
    let mut roll = |sides: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (dice >> 33) % sides
    };
    let mut exposed = 0;
    for step in 0..600 {
        let object = of_network(&mut roll);
        watched.apply(&object);
        while watched.uids.len() > 20 {
            let index = roll(watched.uids.len());
            watched.remove(index);
        }
        watched.flush();
        let (told, scanned) = (watched.told(), watched.scanned(&selection));
        assert_eq!(told, scanned, "{step}: {object}");
        let reached = |said: &&Value| said[2].to_string().contains("reached from");
        exposed += told.values().filter(reached).count();
    }
    assert!(exposed > 300, "{exposed}");
}

#[test]
fn a_service_to_which_nothing_leads_from_afar_concerns_its_namespace_alone() {
    let selection = catalogue().select(&Request::default()).unwrap();
    let mut watched = Watched::new(&selection);
    let object = |api_version: &str, kind: &str, namespace: &str, spec: Value| json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "web", "namespace": namespace}, "spec": spec});
    for namespace in ["a", "b", "c"] {
        watched.apply(&object("apps/v1", "Deployment", namespace, json!({"template":
            {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "a", "image": "x"}]}}})));
    }
    let service = |app: &str| {
        object("v1", "Service", "a", json!({"type": "NodePort", "selector": {"app": app}}))
    };
    let gateway =
        object("networking.istio.io/v1", "Gateway", "b", json!({"selector": {"app": "door"}}));
    watched.apply(&gateway);
    watched.flush();
    for (app, left) in [("web", false), ("api", false), ("door", true), ("web", true)] {
        watched.apply(&service(app));
        watched.live.flush(&watched.objects, 1);
        assert_eq!(watched.live.has_work(), left, "{app}: further namespaces are open");
        watched.flush();
    }
}

#[test]
fn what_cannot_be_read_is_unknown_until_it_can() {
    let selection = catalogue().select(&Request::default()).unwrap();
    let mut watched = Watched::new(&selection);
    let pod = json!({"containers": [{"name": "a", "image": "x"}]});
    watched.apply(&json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": pod}}}));
    watched.flush();
    let states = |watched: &Watched| {
        let told = watched.told();
        let of = |state: &str, reason: &str| {
            told.values().filter(|said| said[0] == state && said[1] == reason).count()
        };
        (told.len(), of("unknown", "stale"))
    };
    let (all, stale) = states(&watched);
    assert!(all > 3 && stale == 0, "{all} {stale}");
    watched.live.set_unseen("networking.k8s.io/v1", "NetworkPolicy", Some("stale"));
    watched.flush();
    let (_, some) = states(&watched);
    assert!(some > 0, "{:#?}", watched.told());
    watched.live.set_unseen("apps/v1", "Deployment", Some("stale"));
    watched.flush();
    assert!(states(&watched).1 > some);
    watched.live.set_unseen("apps/v1", "Deployment", None);
    watched.live.set_unseen("networking.k8s.io/v1", "NetworkPolicy", None);
    assert!(watched.live.has_work());
    watched.flush();
    assert_eq!(states(&watched), (all, 0));
    watched.live.set_unseen("apps/v1", "Deployment", None);
    assert!(!watched.live.has_work());
}

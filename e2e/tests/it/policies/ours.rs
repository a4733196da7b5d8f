//! Our side: the same documents and requests through the engine, with the API server's namespaces, params and answers.
use super::corpus::{Case, Corpus};
use super::native::{Answer, Native, sorted};
use seawall_cel::authz::Answers;
use seawall_cel::{Question, Subject};
use seawall_policy::vap::{Document, Lookup, Params, Policies, Review};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) struct Cluster {
    policies: Policies,
    namespaces: Vec<Value>,
    config_maps: Vec<Value>,
    limits: Vec<Value>,
}

struct Known<'c> {
    cluster: &'c Cluster,
    answers: Arc<Answers>,
}

impl Lookup for Known<'_> {
    fn namespace(&self, name: &str) -> Option<&Value> {
        self.cluster.namespaces.iter().find(|object| object["metadata"]["name"] == name)
    }

    fn params(&self, _: &str, kind: &str) -> Params<'_> {
        match kind {
            "ConfigMap" => Params::Namespaced(self.cluster.config_maps.iter().collect()),
            "Limit" => Params::Cluster(self.cluster.limits.iter().collect()),
            _ => Params::Unknown,
        }
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::clone(&self.answers)
    }
}

impl Cluster {
    pub(super) async fn of(native: &Native, corpus: &Corpus) -> Self {
        let documents: Vec<Document> =
            corpus.documents.iter().cloned().map(Document::from).collect();
        let list = async |path: &str, version: &str, kind: &str| -> Vec<Value> {
            let mut list = native.get(path).await;
            let items = list["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let named = |mut item: Value| {
                item["apiVersion"] = json!(version);
                item["kind"] = json!(kind);
                item
            };
            items.into_iter().map(named).collect()
        };
        Self {
            policies: Policies::load(&documents, 36).0,
            namespaces: list("/api/v1/namespaces", "v1", "Namespace").await,
            config_maps: list("/api/v1/configmaps", "v1", "ConfigMap").await,
            limits: list("/apis/corpus.test/v1/limits", "corpus.test/v1", "Limit").await,
        }
    }

    /// Asks the API server's authorizer whatever the engine wants to know, then answers.
    pub(super) async fn answer(&self, native: &Native, case: &Case) -> Answer {
        let review = review(native, case).await;
        let mut answers = Answers::new();
        loop {
            let known = Known { cluster: self, answers: Arc::new(answers.clone()) };
            let verdict = self.policies.review(&review, &known);
            if verdict.questions.is_empty() {
                let denial = verdict.denials.into_iter().next();
                return Answer {
                    refused: denial.map(|denial| (denial.code, denial.reason, denial.message)),
                    warnings: verdict.warnings,
                    annotations: verdict
                        .audit_annotations
                        .into_iter()
                        .map(|(key, value)| (key, sorted(&value)))
                        .collect(),
                };
            }
            for question in verdict.questions {
                let answer = ask(native, case, &question).await;
                answers.insert(question, answer);
            }
        }
    }
}

async fn review(native: &Native, case: &Case) -> Review {
    let version = case.object["apiVersion"].as_str().unwrap();
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    let kind = case.object["kind"].as_str().unwrap();
    let resource = format!("{}s", kind.to_lowercase());
    let name = &case.object["metadata"]["name"];
    let mut old = Value::Null;
    if case.operation != "CREATE" {
        let path =
            format!("/api/v1/namespaces/{}/configmaps/{}", case.namespace, name.as_str().unwrap());
        old = native.get(&path).await;
    }
    let object = if case.operation == "DELETE" { &Value::Null } else { &case.object };
    let admin =
        ("admin".to_owned(), vec!["system:masters".to_owned(), "system:authenticated".to_owned()]);
    let (user, groups) = case.user.clone().unwrap_or(admin);
    let namespace = if kind == "Namespace" { name.clone() } else { json!(case.namespace) };
    let request = json!({"uid": "u", "operation": case.operation, "dryRun": true, "name": name,
        "namespace": namespace, "kind": {"group": group, "version": version, "kind": kind},
        "resource": {"group": group, "version": version, "resource": resource},
        "userInfo": {"username": user, "groups": groups, "uid": case.user.is_none().then_some("1")},
        "object": object, "oldObject": old});
    Review::of(request.as_object().unwrap()).unwrap()
}

/// A SubjectAccessReview.
async fn ask(native: &Native, case: &Case, question: &Question) -> seawall_cel::Answer {
    let (user, groups) = match (&question.service_account, &case.user) {
        (Some((namespace, name)), _) => (
            format!("system:serviceaccount:{namespace}:{name}"),
            // As k8s.io/apiserver's `serviceaccount.UserInfo`: nobody signed in, so `system:authenticated` is none of them.
            vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{namespace}"),
            ],
        ),
        (None, Some((user, groups))) => (user.clone(), groups.clone()),
        (None, None) => ("admin".to_owned(), vec!["system:masters".to_owned()]),
    };
    let mut spec = json!({"user": user, "groups": groups});
    match &question.about {
        Subject::Path(path) => {
            spec["nonResourceAttributes"] = json!({"path": path, "verb": question.verb});
        }
        Subject::Resource { group, resource, subresource, namespace, name, .. } => {
            spec["resourceAttributes"] = json!({"verb": question.verb, "group": group,
                "resource": resource, "subresource": subresource, "namespace": namespace,
                "name": name});
        }
    }
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
    let (_, answer) =
        native.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", &review).await;
    let status = &answer["status"];
    seawall_cel::Answer {
        allowed: status["allowed"] == true,
        reason: status["reason"].as_str().unwrap_or_default().to_owned(),
        error: status["evaluationError"].as_str().map(str::to_owned),
    }
}

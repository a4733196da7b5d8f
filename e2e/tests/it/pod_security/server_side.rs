//! What the API server says of a pod: allowed, denied by named checks, or invalid before any check is asked.
use super::pods::Case;
use super::template;
use anyhow::{Context, Result, ensure};
use reqwest::{Client, Method, Response};
use seawall_e2e::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Requests in flight; more only wait in the API server.
const AT_ONCE: usize = 16;

/// How a case reaches the API server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Created as a pod, and enforced.
    Pod,
    /// As the template of one of the seven other kinds, of which the API server only warns.
    Template(usize),
    /// As a debug container of the pod that runs in each namespace.
    Ephemeral,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    /// The checks that failed, in the API server's words and in singular.
    Denied(BTreeSet<String>),
    Invalid,
}

/// A client of a lone API server; cheap to clone, the last one ends it.
#[derive(Clone)]
pub(super) struct ApiServer {
    client: Client,
    url: String,
    _server: Arc<Server>,
}

impl ApiServer {
    /// `None`, and a line saying so, where there are no binaries.
    pub(super) fn start() -> Result<Option<Self>> {
        let Some(server) = Server::start_lone() else { return Ok(None) };
        let config = std::fs::read_to_string(server.kubeconfig("admin"))?;
        let url =
            config.split('\'').nth(1).context("the kubeconfig quotes the address")?.to_owned();
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .danger_accept_invalid_certs(true) // The certificate was made a second ago, on this machine.
            .timeout(Duration::from_secs(60))
            .build()?;
        Ok(Some(Self { client, url, _server: Arc::new(server) }))
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> Result<Response> {
        let request =
            self.client.request(method, format!("{}{path}", self.url)).bearer_auth("admin");
        Ok(request.json(body).send().await?)
    }

    /// A namespace that enforces, and warns of, `level` at `1.minor`, with `running` in it.
    pub(super) async fn namespace(
        &self,
        name: &str,
        level: &str,
        minor: u32,
        running: &Value,
    ) -> Result<()> {
        let label = |mode: &str| {
            [
                (format!("pod-security.kubernetes.io/{mode}"), level.to_owned()),
                (format!("pod-security.kubernetes.io/{mode}-version"), format!("v1.{minor}")),
            ]
        };
        let labels: std::collections::BTreeMap<_, _> =
            label("enforce").into_iter().chain(label("warn")).collect();
        let namespace = json!({"metadata": {"name": name, "labels": labels}});
        let mut running = running.clone();
        running["metadata"]["name"] = json!("running");
        for (path, body) in [
            ("/api/v1/namespaces".to_owned(), namespace),
            (format!("/api/v1/namespaces/{name}/pods"), running),
        ] {
            let response = self.send(Method::POST, &path, &body).await?;
            let status = response.status();
            ensure!(status.is_success(), "{path}: {status}: {}", response.text().await?);
        }
        Ok(())
    }

    /// Asks about each case in its namespace. Returns the judged objects with the answers, in order.
    pub(super) async fn ask_all(
        &self,
        namespaces: Vec<String>,
        cases: Vec<(Form, Arc<Case>)>,
    ) -> Result<Vec<(Value, Answer)>> {
        let work = Arc::new((AtomicUsize::new(0), namespaces, cases));
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (this, work) = (self.clone(), work.clone());
            tasks.spawn(async move {
                let (next, namespaces, cases) = &*work;
                let mut answers = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some((form, case)) = cases.get(index) else {
                        return Ok::<_, anyhow::Error>(answers);
                    };
                    let answer = this.ask(&namespaces[index], *form, &case.pod).await;
                    answers.push((index, answer.with_context(|| case.name.clone())?));
                }
            });
        }
        let mut answers = Vec::new();
        while let Some(done) = tasks.join_next().await {
            answers.extend(done??);
        }
        answers.sort_by_key(|(index, _)| *index);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// The object as it was sent, and the answer.
    pub(super) async fn ask(
        &self,
        namespace: &str,
        form: Form,
        pod: &Value,
    ) -> Result<(Value, Answer)> {
        let core = format!("/api/v1/namespaces/{namespace}/pods");
        let (object, response) = match form {
            Form::Pod => {
                let path = format!("{core}?dryRun=All");
                (pod.clone(), self.send(Method::POST, &path, pod).await?)
            }
            Form::Template(kind) => {
                let (object, plural) = template(kind, pod);
                let group = match object["apiVersion"].as_str() {
                    Some("v1") => "/api/v1".to_owned(),
                    group => format!("/apis/{}", group.unwrap_or_default()),
                };
                let path = format!("{group}/namespaces/{namespace}/{plural}?dryRun=All");
                let response = self.send(Method::POST, &path, &object).await?;
                (object, response)
            }
            Form::Ephemeral => {
                let running =
                    self.send(Method::GET, &format!("{core}/running"), &Value::Null).await?;
                let mut object: Value = running.json().await?;
                object["spec"]["ephemeralContainers"] = json!([pod]);
                let path = format!("{core}/running/ephemeralcontainers?dryRun=All");
                let response = self.send(Method::PUT, &path, &object).await?;
                (object, response)
            }
        };
        Ok((object, answer(form, response).await?))
    }
}

async fn answer(form: Form, response: Response) -> Result<Answer> {
    let status = response.status().as_u16();
    let warnings: Vec<String> = response
        .headers()
        .get_all("warning")
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()).replace("\\\"", "\""))
        .collect();
    let text = response.text().await?;
    Ok(match status {
        200 | 201 => {
            let warned = warnings.iter().find_map(|warning| checks(warning));
            match warned.filter(|_| matches!(form, Form::Template(_))) {
                Some(checks) => Answer::Denied(checks),
                None => Answer::Allowed,
            }
        }
        403 => {
            let body: Value = serde_json::from_str(&text)?;
            let message = body["message"].as_str().unwrap_or_default();
            Answer::Denied(checks(message).with_context(|| format!("forbidden otherwise: {text}"))?)
        }
        400 | 422 => Answer::Invalid,
        _ => anyhow::bail!("{status}: {text}"),
    })
}

/// The failing checks of `… violate PodSecurity "LEVEL": CHECK (DETAIL), CHECK (DETAIL)`.
fn checks(message: &str) -> Option<BTreeSet<String>> {
    let (before, told) = message.split_once("PodSecurity \"")?;
    if !before.contains("violate") {
        return None;
    }
    let (_, told) = told.split_once("\": ")?;
    let (mut plain, mut depth) = (String::new(), 0_u32);
    for character in told.trim_end_matches('"').chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => plain.push(character),
            _ => {}
        }
    }
    let check = |text: &str| {
        let text = text.trim();
        if text == "forbidden AppArmor profiles" {
            "forbidden AppArmor profile".to_owned()
        } else {
            text.to_owned()
        }
    };
    Some(plain.split(", ").map(check).collect())
}

#[test]
fn messages_are_taken_apart() {
    let message = "pods \"case\" is forbidden: violates PodSecurity \"baseline:v1.25\": host namespaces (hostPID=true, hostIPC=true), forbidden AppArmor profiles (container \"a\" must not set (x))";
    let found = checks(message).unwrap_or_default();
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        ["forbidden AppArmor profile", "host namespaces"]
    );
    assert_eq!(checks("pods \"case\" is forbidden: no"), None);
}

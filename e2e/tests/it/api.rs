//! A client of the hub's API with one signed-in user.
use anyhow::{Context, Result, bail};
use reqwest::{Client, Method, Response};
use serde_json::Value;
use std::time::{Duration, Instant};

pub(crate) struct Api {
    client: Client,
    base: String,
    cookie: String,
    origin: String,
}

impl Api {
    pub(crate) async fn sign_in(url: &str, user: &str, password: &str) -> Result<Self> {
        // A second call finds the provider installed.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = Client::builder()
            .danger_accept_invalid_certs(true) // The CA was made a second ago, on this machine.
            .timeout(Duration::from_secs(30))
            .build()?;
        let origin = url.trim_end_matches('/').to_owned();
        let mut api =
            Self { client, base: format!("{origin}/api/v1"), cookie: String::new(), origin };
        let body = serde_json::json!({"user": user, "password": password});
        let response = api.send(Method::POST, "/session", Some(body)).await?;
        let cookie = response.headers().get("set-cookie").context("signing in sets a cookie")?;
        api.cookie = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
        Ok(api)
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Result<Response> {
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.base));
        request = request.header("cookie", &self.cookie).header("origin", &self.origin);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        bail!("{method} {path}: {status}: {}", response.text().await.unwrap_or_default())
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Value> {
        Ok(self.send(Method::GET, path, None).await?.json().await?)
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Result<Value> {
        let text = self.send(Method::POST, path, Some(body)).await?.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Result<Value> {
        let text = self.send(Method::PUT, path, Some(body)).await?.text().await?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// As [`Api::put`], of the revision that was read.
    pub(crate) async fn put_if_match(
        &self,
        path: &str,
        revision: u64,
        body: Value,
    ) -> Result<Value> {
        let request = self.client.put(format!("{}{path}", self.base));
        let request = request.header("cookie", &self.cookie).header("origin", &self.origin);
        let request = request.header("if-match", format!("\"{revision}\"")).json(&body);
        let response = request.send().await?;
        let status = response.status();
        let text = response.text().await?;
        anyhow::ensure!(status.is_success(), "PUT {path}: {status}: {text}");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    /// All items of a list under a filter, over all pages.
    pub(crate) async fn list(&self, noun: &str, filter: &str) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        let mut after = String::new();
        loop {
            let query = format!("/{noun}?limit=500&filter={}{after}", percent(filter));
            let page = self.get(&query).await?;
            items.extend(page["items"].as_array().context("a list has items")?.iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={}", percent(next)),
                None => return Ok(items),
            }
        }
    }

    /// Polls a list until `enough` holds of it; the time from the call, and the items.
    pub(crate) async fn wait_for(
        &self,
        noun: &str,
        filter: &str,
        patience: Duration,
        enough: impl Fn(&[Value]) -> bool,
    ) -> Result<(Duration, Vec<Value>)> {
        let start = Instant::now();
        loop {
            let items = self.list(noun, filter).await?;
            if enough(&items) {
                return Ok((start.elapsed(), items));
            }
            if start.elapsed() > patience {
                bail!(
                    "/{noun}?filter={filter} did not become what was expected within {patience:?}: {items:#?}"
                );
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Percent-encodes everything but unreserved characters. Source: RFC 3986, section 2.3.
pub(crate) fn percent(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            (byte as char).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

//! A running `seawall up`.
use crate::api::Api;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// The process and what it printed; ended when dropped.
pub(crate) struct Up {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// Printed once, at the first start.
    pub(crate) password: Option<String>,
    pub(crate) banner: Vec<String>,
}

/// The password every scenario changes the first one to.
pub(crate) const PASSWORD: &str = "correct horse battery";

impl Up {
    /// Starts `seawall up` with its data in `dir` on a free port and waits until it is ready.
    pub(crate) fn start(dir: &Path, arguments: &[&str]) -> Result<Self> {
        Self::command(dir, "up", "127.0.0.1:0", arguments)
    }

    /// Starts `seawall hub` or `seawall up` on `listen`.
    pub(crate) fn command(
        dir: &Path,
        verb: &str,
        listen: &str,
        arguments: &[&str],
    ) -> Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(dir.join("up.log"))?;
        let mut child = Command::new(crate::rig::seawall())
            .args([verb, "--data-dir"])
            .arg(dir.join("data"))
            .args(["--listen", listen])
            .args(arguments)
            .env("SEAWALL_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("cannot start seawall: build it with `cargo build -p seawall-cli`")?;
        let stdout = child.stdout.take().context("stdout is piped")?;
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout)
                .lines()
                .map_while(Result::ok)
                .for_each(|line| drop(sender.send(line)));
        });
        let mut up = Self { child, url: String::new(), password: None, banner: Vec::new() };
        let deadline = Instant::now() + Duration::from_secs(60);
        while up.url.is_empty() || !up.banner.iter().any(|line| line.contains("Ctrl-C")) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(left) else {
                let log = std::fs::read_to_string(dir.join("up.log")).unwrap_or_default();
                bail!("seawall up did not get ready: {:#?}\n{log}", up.banner);
            };
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["open", url, ..] => up.url = (*url).to_owned(),
                ["sign", "in", "admin", "/", password, ..] => {
                    up.password = Some((*password).to_owned())
                }
                _ => {}
            }
            up.banner.push(line);
        }
        Ok(up)
    }

    /// Signs in as the Owner, changing the first password if there is one.
    pub(crate) async fn owner(&self) -> Result<Api> {
        let Some(first) = &self.password else {
            return Api::sign_in(&self.url, "admin", PASSWORD).await;
        };
        let api = Api::sign_in(&self.url, "admin", first).await?;
        let body = serde_json::json!({"current": first, "new": PASSWORD});
        match api.put("/session/password", body).await {
            Ok(_) => Api::sign_in(&self.url, "admin", PASSWORD).await,
            Err(error) => Err(error),
        }
    }

    /// Sends the signal that Ctrl-C sends and waits for the end.
    pub(crate) fn interrupt(mut self) -> Result<std::process::ExitStatus> {
        Command::new("kill").args(["-INT", &self.child.id().to_string()]).status()?;
        let deadline = Instant::now() + Duration::from_secs(15);
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        bail!("seawall up did not end within 15 s of SIGINT")
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

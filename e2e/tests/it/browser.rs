//! The way of an alert through the console, in Chromium, on a real hub with a real pod.
use crate::begin;
use crate::rig::{Rig, text_of};
use crate::up::Up;
use anyhow::{Context, Result};
use std::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_arrives_and_a_security_admin_dismisses_it() -> Result<()> {
    let Some(_turn) = begin("an alert arrives in the browser and a Security Admin dismisses it")
    else {
        return Ok(());
    };
    if !std::path::Path::new("/usr/bin/chromium").exists() {
        eprintln!("skipped: an alert arrives in the browser: needs chromium");
        return Ok(());
    }
    let rig = Rig::up()?;
    rig.pod("shop", "seawall.test/debian:1")?;
    let dir = tempfile::tempdir()?;
    let kubeconfig = rig.kubeconfig().display().to_string();
    let containerd = rig.containerd().display().to_string();
    let up = Up::start(dir.path(), &["--kubeconfig", &kubeconfig, "--containerd", &containerd])?;
    let first = up.password.clone().context("the first start prints the Owner's password")?;
    // A program that no image holds: one drift alert.
    let trigger = format!(
        "{} --kubeconfig {kubeconfig} exec shop -- sh -c 'cp /bin/ls /tmp/dropped && /tmp/dropped / >/dev/null'",
        rig.program("kubectl").display()
    );
    let output = Command::new("npm")
        .args(["--prefix", "web", "run", "--silent", "journey"])
        .current_dir(crate::root())
        .env("SEAWALL_URL", &up.url)
        .env("SEAWALL_USER", "admin")
        .env("SEAWALL_PASSWORD", first)
        .env("SEAWALL_NEW_PASSWORD", "a password of the journey")
        .env("SEAWALL_TRIGGER", trigger)
        .env(
            "SEAWALL_SHOTS",
            std::env::var_os("SEAWALL_SHOTS").unwrap_or(dir.path().join("shots").into()),
        )
        .output()
        .context("cannot run npm")?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{told}");
    text_of(output, &format!("the journey\n{told}"))?;
    Ok(())
}

//! First start, second start, end, and the errors a user meets.
use crate::begin;
use crate::rig::seawall;
use crate::up::Up;
use anyhow::Result;
use std::process::{Command, Output};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_resumes_and_ctrl_c_ends_cleanly() -> Result<()> {
    let Some(_turn) = begin("a second start resumes and Ctrl-C ends cleanly") else {
        return Ok(());
    };
    let dir = tempfile::tempdir()?;
    let up = Up::start(dir.path(), &["--no-sensor"])?;
    assert!(up.password.is_some(), "the first start prints the Owner's password: {:#?}", up.banner);
    let api = up.owner().await?;
    let first = api.get("/session").await?;
    assert_eq!(first["user"]["must_change_password"], false);
    assert_eq!(up.interrupt()?.code(), Some(0));

    let up = Up::start(dir.path(), &["--no-sensor"])?;
    assert!(up.password.is_none(), "the password is printed once: {:#?}", up.banner);
    let api = up.owner().await?;
    assert_eq!(api.get("/session").await?["user"]["id"], first["user"]["id"]);
    assert_eq!(api.get("/audit/verify").await?["ok"], true);
    Ok(())
}

fn run(arguments: &[&str]) -> Result<(Option<i32>, String)> {
    let Output { status, stderr, .. } = Command::new(seawall()).args(arguments).output()?;
    Ok((status.code(), String::from_utf8_lossy(&stderr).into_owned()))
}

#[track_caller]
fn check(arguments: &[&str], code: i32, words: &[&str]) {
    let (status, stderr) = run(arguments).expect("the binary starts");
    assert_eq!(status, Some(code), "{arguments:?}: {stderr}");
    for word in words {
        assert!(stderr.contains(word), "`{word}` is not in: {stderr}");
    }
}

#[test]
fn errors_say_what_to_do() -> Result<()> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("data").display().to_string();
    check(
        &["up", "--no-sensor", "--data-dir", &data, "--listen", &address],
        3,
        &[&address, "another program", "--listen"],
    );
    // A file where the folder should be: also root cannot write there.
    let file = dir.path().join("file");
    std::fs::write(&file, "")?;
    let below = file.join("data").display().to_string();
    check(&["up", "--no-sensor", "--data-dir", &below], 3, &[&below, "--data-dir"]);
    check(&["up", "--data-dirr", "x"], 2, &["--data-dir"]);
    check(
        &[
            "up",
            "--no-sensor",
            "--data-dir",
            &data,
            "--listen",
            "127.0.0.1:0",
            "--kubeconfig",
            "/nowhere/config",
        ],
        3,
        &["/nowhere/config", "--kubeconfig"],
    );
    Ok(())
}

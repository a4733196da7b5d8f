//! Programs that serve on loopback while a test lasts.
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Until a program must have opened its port; moto loads for some seconds on a busy machine.
const START: Duration = Duration::from_secs(60);

pub(crate) struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that is free now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Starts `command` and waits until it listens.
pub(crate) fn serve(command: &mut Command, port: u16) -> Process {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let (mut process, start) = (Process(child), Instant::now());
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        let ended = process.0.try_wait().unwrap();
        assert!(
            ended.is_none() && start.elapsed() < START,
            "{command:?} serves nothing: {ended:?}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    process
}

/// Whether the program is there; if not, the test is skipped by name.
pub(crate) fn is_there(test: &str, program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Joined to a folder, an absolute path stays what it is.
    let there = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !there {
        eprintln!("skipped: {test}: there is no {program}");
    }
    there
}

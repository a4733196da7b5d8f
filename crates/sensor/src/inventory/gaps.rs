//! Which images are left out, and why: the capability `images`.
use crate::config::Config;
use crate::identity::{Behind, behind};
use seawall_model::asset::{Capability, CapabilityState};
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// What is known of the images behind one socket.
#[derive(Debug, PartialEq)]
pub(super) enum Held {
    /// containerd gives their content; `unread` could not be read nevertheless.
    Read { unread: usize },
    /// CRI has no call that gives content.
    LeftOut { runtime: String, images: usize },
    /// Nobody answers, or not to this question.
    Failed(String),
}

/// Whether the content of this node's images can be read, by asking its runtimes.
pub fn images(config: &Config) -> Capability {
    capability(&ask(&config.runtimes))
}

/// The runtimes behind the sockets that exist, each once.
pub(super) fn ask(sockets: &[PathBuf]) -> Vec<(PathBuf, Held)> {
    let mut seen = HashSet::new();
    let own = |socket: &&PathBuf| {
        socket.metadata().is_ok_and(|file| seen.insert((file.dev(), file.ino())))
    };
    sockets.iter().filter(own).map(|socket| (socket.clone(), held(socket))).collect()
}

fn held(socket: &Path) -> Held {
    match behind(socket) {
        Ok(Behind::Containerd) => Held::Read { unread: 0 },
        Ok(Behind::Cri { runtime, images }) => Held::LeftOut { runtime, images },
        Err(error) => Held::Failed(crate::probe::chain(&error)),
    }
}

/// Full only where the content of every image is read.
pub(super) fn capability(held: &[(PathBuf, Held)]) -> Capability {
    let reasons: Vec<String> =
        held.iter().filter_map(|(socket, held)| reason(socket, held)).collect();
    let read = held.iter().any(|(_, held)| matches!(held, Held::Read { .. }));
    let state = match (read, reasons.is_empty()) {
        (true, true) => CapabilityState::Full,
        (true, false) => CapabilityState::Partial,
        (false, _) => CapabilityState::Absent,
    };
    let reason = match (state, reasons.is_empty()) {
        (CapabilityState::Full, _) => None,
        (_, true) => Some("no container runtime's socket was found".to_owned()),
        (_, false) => Some(reasons.join("; ")),
    };
    Capability { name: "images".to_owned(), state, tier: None, reason }
}

fn reason(socket: &Path, held: &Held) -> Option<String> {
    let socket = socket.display();
    let count = |images: usize| match images {
        1 => "1 image".to_owned(),
        _ => format!("{images} images"),
    };
    match held {
        Held::Read { unread: 0 } => None,
        Held::Read { unread } => Some(format!("{} of {socket} could not be read", count(*unread))),
        Held::LeftOut { runtime, images } => Some(format!(
            "{runtime} gives no content of images: packages of its {} are unknown",
            count(*images)
        )),
        Held::Failed(why) => Some(format!("{socket}: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(held: Vec<Held>, state: CapabilityState, reason: Option<&str>) {
        let held: Vec<_> =
            held.into_iter().map(|held| (PathBuf::from("/run/a.sock"), held)).collect();
        let found = capability(&held);
        assert_eq!((found.state, found.reason.as_deref()), (state, reason), "{held:?}");
    }

    #[test]
    fn what_is_left_out_is_said() {
        let crio = |images| Held::LeftOut { runtime: "cri-o 1.34.0".to_owned(), images };
        let read = || Held::Read { unread: 0 };
        let left_out =
            "cri-o 1.34.0 gives no content of images: packages of its 12 images are unknown";
        check(vec![read()], CapabilityState::Full, None);
        check(vec![read(), crio(12)], CapabilityState::Partial, Some(left_out));
        check(vec![crio(12)], CapabilityState::Absent, Some(left_out));
        check(
            vec![Held::Read { unread: 1 }],
            CapabilityState::Partial,
            Some("1 image of /run/a.sock could not be read"),
        );
        check(
            vec![read(), Held::Failed("nobody listens".to_owned())],
            CapabilityState::Partial,
            Some("/run/a.sock: nobody listens"),
        );
        check(vec![], CapabilityState::Absent, Some("no container runtime's socket was found"));
    }

    /// Even of nothing it is said: no image now is none unknown later.
    #[test]
    fn a_runtime_without_images_is_left_out_too() {
        let crio = Held::LeftOut { runtime: "cri-o 1.34.0".to_owned(), images: 0 };
        assert_eq!(capability(&[("/a".into(), crio)]).state, CapabilityState::Absent);
    }
}

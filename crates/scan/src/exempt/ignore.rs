//! Entries for flaws in `seawall-ignore.yaml`.
use super::entry::Entry;
use seawall_model::Problem;
use seawall_model::problem::ProblemKind;
use seawall_posture::exemption::{self as shared, Excuse, Read};

pub(super) fn read(file: &str, text: &str) -> Result<Read<Entry>, Vec<Problem>> {
    shared::read(file, text, |written, excuse, line| entry(written, excuse, file, line))
}

/// `None` for one about controls. `Err` says what is wrong.
fn entry(
    written: &shared::Entry,
    excuse: Excuse,
    file: &str,
    line: u32,
) -> Result<Option<Entry>, String> {
    if written.control.is_some() {
        return Ok(None);
    }
    let parts = [
        ("namespace", &written.namespace),
        ("container", &written.container),
        ("image", &written.image),
    ];
    if let Some((part, _)) = parts.into_iter().find(|(_, given)| given.is_some()) {
        return Err(format!("a flaw has no {part}: narrow it by package, path or resource"));
    }
    let every = |glob: &Option<String>| {
        glob.as_deref().is_none_or(|glob| glob.trim().bytes().all(|byte| byte == b'*'))
    };
    if every(&written.id) && every(&written.package) {
        return Err("every flaw of every package at once is no exemption".to_owned());
    }
    Ok(Some(Entry {
        id: format!("{file}:{line}"),
        flaw: written.id.clone(),
        packages: written.package.iter().cloned().collect(),
        paths: written.path.iter().cloned().collect(),
        resource: written.resource.clone(),
        category: excuse.category,
        reason: excuse.reason,
        by: excuse.owner,
        expires: excuse.expires,
        place: Some((file.to_owned(), line)),
        unused: Some(ProblemKind::Warning),
    }))
}

#[test]
fn entries_are_about_flaws() {
    #[track_caller]
    fn check(entry: &str, expected: Result<usize, &str>) {
        let read = read("i.yaml", &format!("ignore:\n- {{{entry}, reason: r}}\n"));
        match (read, expected) {
            (Ok(read), Ok(count)) => assert_eq!(read.entries.len(), count, "{entry}"),
            (Err(problems), Err(said)) => {
                assert!(problems[0].message.contains(said), "{entry}: {problems:?}");
            }
            (read, expected) => panic!("{entry}: {read:?}, expected {expected:?}"),
        }
    }
    check("id: CVE-2024-0001", Ok(1));
    check("package: open*, path: usr/*", Ok(1));
    check("control: SW-C-0001", Ok(0));
    check("id: \"*\"", Err("every flaw"));
    check("id: \"*\", package: \"*\"", Err("every flaw"));
    check("id: CVE-1, namespace: a", Err("no namespace"));
    check("id: CVE-1, until: soon", Err("no date"));
    check("id: CVE-1, control: a", Err("not both"));
}

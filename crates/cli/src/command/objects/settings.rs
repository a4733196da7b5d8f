//! Files that say how to judge: parameters of controls, and exemptions.
use crate::exit::Failure;
use anyhow::{Context, anyhow};
use seawall_model::Problem;
use seawall_model::time::{Clock, SystemClock};
use seawall_posture::exemption::{self, Exemptions};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The name looked for beside a target.
pub(crate) const IGNORE_FILE: &str = "seawall-ignore.yaml";

/// Control id → parameter → value; empty without a file.
pub(super) fn params(file: Option<&Path>) -> Result<BTreeMap<String, Map<String, Value>>, Failure> {
    let Some(path) = file else { return Ok(BTreeMap::new()) };
    let text = read(path)?;
    let shown = path.display();
    let document = seawall_posture::yaml::parse(&text).map_err(|error| {
        Failure::usage(anyhow!("{shown}:{}:{}: {error}", error.line, error.column))
    })?;
    let value = document.map_or(Value::Object(Map::new()), |node| node.to_json());
    let no_params = || {
        Failure::usage(anyhow!("{shown} holds no parameters"))
            .with_help("write them as `SW-C-0017: {windowsExempt: false}`")
    };
    let Value::Object(controls) = value else { return Err(no_params()) };
    let mut params = BTreeMap::new();
    for (control, value) in controls {
        let Value::Object(values) = value else { return Err(no_params()) };
        params.insert(control, values);
    }
    Ok(params)
}

/// Of the named file, else of those that lie beside the targets, each once. Warnings come beside them.
pub(super) fn exemptions(
    named: Option<&Path>,
    beside: &[PathBuf],
) -> Result<(Exemptions, Vec<Problem>), Failure> {
    let files = match named {
        Some(file) => vec![file.to_owned()],
        None => found(beside, &[IGNORE_FILE]),
    };
    let now = SystemClock.now();
    let (mut exemptions, mut warnings) = (Exemptions::new(Vec::new(), now), Vec::new());
    for file in files {
        let text = read(&file)?;
        let name = file.display().to_string();
        let (loaded, told) = exemption::load(&name, &text, now).map_err(|mistakes| {
            let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
            Failure::usage(anyhow!("the ignore file is invalid: {}", mistakes.join("; ")))
        })?;
        exemptions.extend(loaded);
        warnings.extend(told);
    }
    Ok((exemptions, warnings))
}

/// Files of these names in a folder, beside a file, in the working directory for stdin.
pub(crate) fn found(beside: &[PathBuf], names: &[&str]) -> Vec<PathBuf> {
    let mut known = BTreeSet::new();
    let mut files = Vec::new();
    for path in beside {
        let folder = match path {
            path if path.as_os_str() == "-" => Path::new(""),
            path if path.is_dir() => path,
            path => path.parent().unwrap_or(Path::new("")),
        };
        for file in names.iter().map(|name| folder.join(name)) {
            let canonical = file.canonicalize().unwrap_or_else(|_| file.clone());
            if file.is_file() && known.insert(canonical) {
                files.push(file);
            }
        }
    }
    files
}

/// At most one byte over what may be in it: the reader of the text then says so.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    let unreadable = || format!("cannot read {}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).with_context(unreadable)?;
    file.take(exemption::MAX_FILE as u64 + 1).read_to_string(&mut text).with_context(unreadable)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignore_files_lie_beside_their_targets() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        std::fs::create_dir(path("app")).unwrap();
        for file in ["seawall-ignore.yaml", "app/seawall-ignore.yaml", "a.yaml"] {
            std::fs::write(path(file), "ignore: []\n").unwrap();
        }
        let found = |paths: &[&str]| -> Vec<PathBuf> {
            let paths: Vec<PathBuf> = paths.iter().map(|name| path(name)).collect();
            super::found(&paths, &[IGNORE_FILE])
        };
        assert_eq!(found(&["a.yaml"]), [path("seawall-ignore.yaml")]);
        assert_eq!(found(&["app", "app/x.yaml"]), [path("app/seawall-ignore.yaml")]);
        assert_eq!(found(&["none/x.yaml"]), Vec::<PathBuf>::new());
        let (exemptions, warnings) = exemptions(None, &[path("app")]).unwrap();
        assert!(exemptions.is_empty() && warnings.is_empty());
    }

    #[test]
    fn parameters_are_read_or_refused() {
        #[track_caller]
        fn check(text: &str, expected: Option<usize>) {
            let file = tempfile::NamedTempFile::new().unwrap();
            std::fs::write(file.path(), text).unwrap();
            assert_eq!(
                params(Some(file.path())).ok().map(|params| params.len()),
                expected,
                "{text}"
            );
        }
        check("SW-C-0017: {windowsExempt: false}\nSW-C-0018: {}\n", Some(2));
        check("{\"SW-C-0017\": {\"a\": [\"b\"]}}", Some(1));
        check("# none yet\n", Some(0));
        check("- a\n", None);
        check("SW-C-0017: false\n", None);
        check("a: [", None);
        assert_eq!(params(None).unwrap().len(), 0);
        assert!(params(Some(Path::new("/none"))).is_err());
    }
}

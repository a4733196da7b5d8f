//! The files that `scan manifests` reads.
use crate::exit::Failure;
use crate::files::below;
use seawall_model::Problem;
use seawall_posture::manifests::{File, MAX_FILE};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The code of a problem with a file that was found and cannot be read.
pub(in crate::command) const UNREADABLE: &str = "unreadable";

/// What was read of one path.
pub(in crate::command) struct Input {
    pub(in crate::command) name: String,
    pub(in crate::command) bytes: Vec<u8>,
    /// Found in a directory.
    pub(in crate::command) found: bool,
}

impl Input {
    pub(in crate::command) fn file(&self) -> File<'_> {
        File { path: &self.name, bytes: &self.bytes, found: self.found }
    }

    /// As it is, unless it was cut off: half of the manifests would be taken for all.
    pub(in crate::command) fn print(&self, stdout: &mut impl Write) -> std::io::Result<()> {
        if self.bytes.len() > MAX_FILE {
            return Ok(());
        }
        stdout.write_all(&self.bytes)?;
        stdout.flush()
    }
}

/// Everything below the paths, in their order, each file once; a named file that cannot be read is exit 3, one found
/// in a directory a gap.
pub(in crate::command) fn inputs(paths: &[PathBuf]) -> Result<(Vec<Input>, Vec<Problem>), Failure> {
    let mut inputs: Vec<Input> = Vec::new();
    let mut problems = Vec::new();
    // By canonical path: a directory and a file in it, or a link, must not be judged or fixed twice.
    let mut known: HashMap<PathBuf, Option<usize>> = HashMap::new();
    for path in paths {
        let found = path.as_os_str() != "-" && path.is_dir();
        let files = if found { below(path, &["yaml", "yml", "json"])? } else { vec![path.clone()] };
        for file in files {
            // It lies beside what it is about, and a shell's `*.yaml` names it too.
            if file.file_name().is_some_and(|name| name == super::settings::IGNORE_FILE) {
                continue;
            }
            let canonical = file.canonicalize().unwrap_or_else(|_| file.clone());
            if let Some(earlier) = known.get(&canonical) {
                if let Some(input) = earlier.and_then(|index| inputs.get_mut(index)) {
                    // What is named is looked at as strictly as if it had been named alone.
                    input.found &= found;
                }
                continue;
            }
            let name = file.display().to_string();
            let index = match (read(&file), found) {
                (Ok(bytes), _) => {
                    inputs.push(Input { name, bytes, found });
                    Some(inputs.len() - 1)
                }
                (Err(error), true) => {
                    let message = format!("the file cannot be read: {error}");
                    problems.push(Problem::gap(UNREADABLE, message).file(name));
                    None
                }
                (Err(error), false) => {
                    let name = if name == "-" { "stdin" } else { &name };
                    let error = anyhow::Error::new(error);
                    return Err(error.context(format!("cannot read {name}")).into());
                }
            };
            known.insert(canonical, index);
        }
    }
    Ok((inputs, problems))
}

/// At most one byte over what a file may have: the reader then says so.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_FILE as u64 + 1;
    if path.as_os_str() == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Names below `dir` in the order read, `!` before what could not be.
    #[track_caller]
    fn check(dir: &Path, paths: &[&str], expected: &[&str]) {
        let paths: Vec<_> = paths.iter().map(|path| dir.join(path)).collect();
        let (inputs, problems) = inputs(&paths).unwrap();
        let shown = |name: &str| name.strip_prefix(dir.to_str().unwrap()).unwrap()[1..].to_owned();
        let read = inputs.iter().map(|input| shown(&input.name));
        let unread =
            problems.iter().map(|problem| format!("!{}", shown(problem.file.as_ref().unwrap())));
        assert_eq!(read.chain(unread).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn each_regular_file_once() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        std::fs::create_dir_all(dir.join("m/.git")).unwrap();
        for name in ["m/a.yaml", "m/b.json", "m/.git/c.yaml", "m/notes.txt"] {
            std::fs::write(dir.join(name), "").unwrap();
        }
        symlink(dir.join("m"), dir.join("m/again.yaml")).unwrap();
        symlink("a.yaml", dir.join("m/link.yaml")).unwrap();
        symlink("nowhere", dir.join("m/torn.yaml")).unwrap();
        let made = std::process::Command::new("mkfifo").arg(dir.join("m/pipe.yaml")).status();
        assert!(made.unwrap().success());
        check(dir, &["m"], &["m/a.yaml", "m/b.json", "!m/torn.yaml"]);
        check(dir, &["m/link.yaml", "m"], &["m/link.yaml", "m/b.json", "!m/torn.yaml"]);
        check(dir, &["m/a.yaml", "m/a.yaml"], &["m/a.yaml"]);
        let (inputs, _) = inputs(&[dir.join("m"), dir.join("m/a.yaml")]).unwrap();
        assert_eq!(inputs.iter().map(|input| input.found).collect::<Vec<_>>(), [false, true]);
    }
}

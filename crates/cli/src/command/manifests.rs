//! `seawall scan manifests`: controls on Kubernetes objects in files.
use crate::command::objects::files::{self, Input};
use crate::command::objects::{Options, Target};
use crate::exit::Outcome;
use seawall_posture::manifests;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, directories, or - for stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    options: Options,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let stdin = self.paths.iter().any(|path| path.as_os_str() == "-");
        let prepared = self.options.prepare(&self.paths, stdin)?;
        let (inputs, unreadable) = files::inputs(&self.paths)?;
        let mut read = manifests::read(inputs.iter().map(Input::file));
        read.problems.extend(unreadable);
        let names: Vec<String> = self.paths.iter().map(|path| path.display().to_string()).collect();
        let target = Target { name: names.join(" "), ..Target::default() };
        self.options.run(&prepared, target, inputs, &read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;
    use clap::Parser;
    use std::path::Path;

    #[derive(Parser)]
    struct Call {
        #[command(flatten)]
        args: Args,
    }

    const PRIVILEGED: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, securityContext: {privileged: true}}]}\n";

    #[track_caller]
    fn check(arguments: &[&str], dir: &Path, expected: Exit) {
        let dir = dir.to_str().unwrap();
        let call = Call::parse_from(
            ["scan", "--control", "SW-C-0001", "--fail-on", "low", dir].iter().chain(arguments),
        );
        assert_eq!(call.args.run().unwrap(), expected, "{arguments:?}");
    }

    #[test]
    fn the_exit_code_is_that_of_the_state_after_the_fix() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("a.yaml", PRIVILEGED);
        check(&[], dir.path(), Exit::Findings);
        check(&["--diff"], dir.path(), Exit::Findings);
        check(&["--fix"], dir.path(), Exit::Pass);
        check(&["--fix"], dir.path(), Exit::Pass);
        // Beside what was fixed, what cannot be fixed and what cannot be read count.
        write("a.yaml", PRIVILEGED);
        write("b.yaml", "kind: [");
        check(&["--fix"], dir.path(), Exit::Incomplete);
        write(
            "b.yaml",
            "apiVersion: v1\nkind: Pod\nspec:\n  containers:\n  - name: a\n    securityContext: &safe {privileged: true}\n  - name: b\n    securityContext: *safe\n",
        );
        check(&["--fix"], dir.path(), Exit::Findings);
    }
}

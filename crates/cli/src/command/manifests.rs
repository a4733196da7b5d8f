//! `seawall scan manifests`: controls on Kubernetes objects in files.
use crate::command::policy;
use crate::exit::{Exit, Failure, Outcome};
use crate::output::{self, Format};
use anyhow::Context;
use seawall_model::problem::ProblemKind;
use seawall_model::{Problem, Severity};
use seawall_posture::manifests::{self, File, MAX_FILE, Manifests, Report};
use seawall_posture::{Catalogue, Request, Selection};
use std::io::Read;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files, directories, or - for stdin
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Only this framework (repeatable), such as pss-baseline@1.30 [default: every stable control]
    #[arg(long, value_name = "NAME[@VERSION]")]
    framework: Vec<String>,
    /// Only this control (repeatable)
    #[arg(long, value_name = "ID")]
    control: Vec<String>,
    /// The Kubernetes version the objects are meant for
    #[arg(long, value_name = "1.N")]
    kubernetes_version: Option<String>,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
    /// Show only these severities, such as critical,high
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    severity: Vec<Severity>,
    /// Exit 1 on an unhealthy finding at or over this severity
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<Severity>,
    /// Exit 0 although something could not be judged
    #[arg(long)]
    allow_incomplete: bool,
    /// Show healthy and not applicable findings too
    #[arg(long)]
    all: bool,
    /// Print the fixes as a unified diff
    #[arg(long, conflicts_with = "fix")]
    diff: bool,
    /// Write the fixes into the files; with stdin print the fixed manifests
    #[arg(long)]
    fix: bool,
}

/// What was read of one path.
struct Input {
    name: String,
    bytes: Vec<u8>,
    /// Found in a directory.
    found: bool,
}

impl Args {
    pub(crate) fn run(self) -> Outcome {
        let selection = self.selection()?;
        let (inputs, unreadable) = self.inputs()?;
        let files = inputs.iter().map(|input| File {
            path: &input.name,
            bytes: &input.bytes,
            found: input.found,
        });
        let mut read = manifests::read(files);
        read.problems.extend(unreadable);
        if self.diff || self.fix {
            return self.repair(&read, &selection);
        }
        let report = self.report(&read, &selection);
        self.print(&report)?;
        Ok(self.exit(&report))
    }

    fn selection(&self) -> Result<Selection, Failure> {
        let entries = seawall_content::controls();
        let controls = entries.iter().map(|entry| (entry.path, entry.text));
        let (catalogue, problems) = Catalogue::load(controls, policy::frameworks());
        output::print_problems(&problems, self.format);
        let request = Request {
            frameworks: self.framework.clone(),
            controls: self.control.clone(),
            ..Request::default()
        };
        catalogue.select(&request).map_err(|problem| {
            let failure = Failure::usage(anyhow::anyhow!("{}", problem.message));
            match problem.help {
                Some(help) => failure.with_help(help),
                None => failure,
            }
        })
    }

    /// Everything below the paths, in their order; a named file that cannot be read is exit 3, one found in a
    /// directory a gap.
    fn inputs(&self) -> Result<(Vec<Input>, Vec<Problem>), Failure> {
        let (mut inputs, mut problems) = (Vec::new(), Vec::new());
        for path in &self.paths {
            if path.as_os_str() == "-" {
                let bytes = bounded(std::io::stdin().lock()).context("cannot read stdin")?;
                inputs.push(Input { name: "-".to_owned(), bytes, found: false });
            } else if path.is_dir() {
                for file in below(path)? {
                    let name = file.display().to_string();
                    match std::fs::File::open(&file).and_then(bounded) {
                        Ok(bytes) => inputs.push(Input { name, bytes, found: true }),
                        Err(error) => {
                            let message = format!("the file cannot be read: {error}");
                            problems.push(Problem::gap("unreadable", message).file(name));
                        }
                    }
                }
            } else {
                let name = path.display().to_string();
                let file = std::fs::File::open(path).and_then(bounded);
                let bytes = file.with_context(|| format!("cannot read {name}"))?;
                inputs.push(Input { name, bytes, found: false });
            }
        }
        Ok((inputs, problems))
    }

    fn report(&self, read: &Manifests, selection: &Selection) -> Report {
        let target: Vec<String> =
            self.paths.iter().map(|path| path.display().to_string()).collect();
        Report::new(read, selection, &target.join(" "), self.kubernetes_version.clone())
    }

    fn print(&self, report: &Report) -> Result<(), Failure> {
        match self.format {
            Format::Json => output::print_json(report)?,
            Format::Table => {
                let rows: Vec<_> =
                    report.rows(&self.severity, self.all).into_iter().map(cells).collect();
                let header = ["CONTROL", "SEVERITY", "STATE", "RESOURCE", "PLACE", "MESSAGE"];
                let mut text = if rows.is_empty() {
                    String::new()
                } else {
                    output::table(&header, &rows) + "\n"
                };
                let secure =
                    report.scores.secure.map_or("none".to_owned(), |score| format!("{score:.1}"));
                text += &format!(
                    "{} objects, {} judged; secure score {secure}\n",
                    report.counts.objects, report.counts.judged
                );
                output::print(&text)?;
            }
        }
        output::print_problems(&report.problems, self.format);
        Ok(())
    }

    fn exit(&self, report: &Report) -> Exit {
        if self.fail_on.is_some_and(|level| report.fails(level)) {
            Exit::Findings
        } else if report.incomplete() && !self.allow_incomplete {
            Exit::Incomplete
        } else {
            Exit::Pass
        }
    }

    /// stdout is the diff or, with `--fix` on stdin, the fixed manifests; the exit code is that of the state after
    /// `--fix`, or of the state as it is for `--diff`.
    fn repair(&self, read: &Manifests, selection: &Selection) -> Outcome {
        let (repaired, left) = manifests::repair(read, selection);
        if self.diff {
            for file in &repaired {
                output::print(&manifests::diff(file))?;
            }
            output::print_problems(&left, self.format);
            let report = self.report(read, selection);
            output::print_problems(&report.problems, self.format);
            return Ok(self.exit(&report));
        }
        for file in &repaired {
            if file.path == "-" {
                output::print(&file.after)?;
            } else {
                replace(Path::new(&file.path), &file.after)
                    .with_context(|| format!("cannot write {}", file.path))?;
                eprintln!("fixed {}", output::escape(&file.path));
            }
        }
        output::print_problems(&left, self.format);
        let (inputs, _) = match self.paths.iter().any(|path| path.as_os_str() == "-") {
            // stdin is gone: what was printed is what there is.
            true => (Vec::new(), Vec::new()),
            false => self.inputs()?,
        };
        let files = inputs.iter().map(|input| File {
            path: &input.name,
            bytes: &input.bytes,
            found: input.found,
        });
        let after = if inputs.is_empty() {
            manifests::read(repaired.iter().map(manifests::Repaired::file))
        } else {
            manifests::read(files)
        };
        let report = self.report(&after, selection);
        let gaps: Vec<_> = report
            .problems
            .iter()
            .filter(|problem| problem.kind >= ProblemKind::Gap)
            .cloned()
            .collect();
        output::print_problems(&gaps, self.format);
        Ok(self.exit(&report))
    }
}

fn cells(row: manifests::Row) -> Vec<String> {
    let message = if row.message.is_empty() { row.title } else { row.message };
    vec![
        row.control,
        row.severity.to_string(),
        row.state.as_str().to_owned(),
        row.resource,
        row.place,
        message,
    ]
}

/// At most one byte over what a file may have: the reader then says so.
fn bounded(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// YAML and JSON files below a directory, sorted; hidden folders such as `.git` are left out.
fn below(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder)
            .with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            let hidden =
                path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
            let is_manifest = path.extension().is_some_and(|extension| {
                extension == "yaml" || extension == "yml" || extension == "json"
            });
            if path.is_dir() && !path.is_symlink() && !hidden {
                folders.push(path);
            } else if is_manifest {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// By rename, so that a crash leaves the old file or the new one; the mode stays.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let mode = std::fs::metadata(path)?.permissions();
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".seawall-new");
    let temporary = path.with_file_name(name);
    std::fs::write(&temporary, text)?;
    std::fs::set_permissions(&temporary, mode)?;
    std::fs::rename(temporary, path)
}

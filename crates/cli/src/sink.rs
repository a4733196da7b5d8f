//! Where a result goes: `--format F[=FILE]`, repeated.
use crate::exit::Failure;
use crate::files;
use crate::output::{self, Format};
use anyhow::{Context, anyhow};
use clap::ValueEnum;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;

/// One form of the result, and the file it goes to; stdout without one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sink<F = Format> {
    pub(crate) format: F,
    file: Option<PathBuf>,
}

impl<F: ValueEnum> FromStr for Sink<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((_, "")) => return Err("the file after `=` has no name".to_owned()),
            Some((name, file)) => (name, Some(PathBuf::from(file))),
            None => (text, None),
        };
        let format = F::from_str(name, false).map_err(|_| {
            let known = F::value_variants().iter().filter_map(ValueEnum::to_possible_value);
            let known: Vec<String> = known.map(|value| value.get_name().to_owned()).collect();
            let (last, rest) = known.split_last().expect("a format has variants");
            format!(
                "`{name}` is no format: expected {} or {last}, and =FILE after it",
                rest.join(", ")
            )
        })?;
        Ok(Self { format, file })
    }
}

impl<F> Sink<F> {
    /// To stdout.
    pub(crate) fn stdout(format: F) -> Self {
        Self { format, file: None }
    }

    pub(crate) fn is_stdout(&self) -> bool {
        self.file.is_none()
    }

    /// The file as the working directory makes it: `a` and `./a` are one.
    fn place(&self) -> Option<PathBuf> {
        let file = self.file.as_ref()?;
        Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()))
    }
}

/// Refuses two results in one place: the second would follow or replace the first.
pub(crate) fn check<F>(sinks: &[Sink<F>]) -> Result<(), Failure> {
    for (place, sink) in sinks.iter().enumerate() {
        if sinks[..place].iter().any(|other| other.place() == sink.place()) {
            let place = sink.file.as_ref().map_or("stdout".into(), |file| file.to_string_lossy());
            return Err(Failure::usage(anyhow!("two `--format` go to {place}"))
                .with_help("give each but one a file of its own, such as `json=report.json`"));
        }
    }
    Ok(())
}

/// The form of what goes to stderr: JSON beside JSON on stdout, else lines.
pub(crate) fn of_problems<F: Copy + PartialEq>(sinks: &[Sink<F>], json: F) -> Format {
    let in_json = sinks.iter().any(|sink| sink.file.is_none() && sink.format == json);
    if in_json { Format::Json } else { Format::Table }
}

/// Writes every result. Files come first: a reader of stdout that went away ends the program.
pub(crate) fn write<F: Copy>(
    sinks: &[Sink<F>],
    text: impl Fn(F) -> io::Result<String>,
) -> Result<(), Failure> {
    for Sink { format, file } in sinks {
        if let Some(file) = file {
            files::write(file, &text(*format)?)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    for sink in sinks.iter().filter(|sink| sink.file.is_none()) {
        output::print(&text(sink.format)?)?;
    }
    Ok(())
}

#[test]
fn sinks_are_a_form_and_a_file() {
    #[track_caller]
    fn check(text: &str, expected: Option<(Format, Option<&str>)>) {
        let sink = expected.map(|(format, file)| Sink { format, file: file.map(Into::into) });
        assert_eq!(text.parse().ok(), sink, "{text}");
    }
    check("table", Some((Format::Table, None)));
    check("json=a=b.json", Some((Format::Json, Some("a=b.json"))));
    check("json=", None);
    check("xml", None);
    check("", None);
}

#[test]
fn two_results_in_one_place_are_refused() {
    #[track_caller]
    fn check_pair(first: &str, second: &str, fine: bool) {
        let sinks: [Sink; 2] = [first.parse().unwrap(), second.parse().unwrap()];
        assert_eq!(check(&sinks).is_ok(), fine, "{first} {second}");
    }
    check_pair("table", "json", false);
    check_pair("table", "json=a", true);
    check_pair("table=a", "json=./a", false);
    check_pair("table=a", "json=b/a", true);
}

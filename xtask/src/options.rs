//! Options of the verbs that make artifacts.
use anyhow::{Context, Result, bail};
use std::path::PathBuf;

/// Every crate's version is the workspace's, and so is the product's.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) binary: Option<PathBuf>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) name: Option<String>,
    /// The one argument that is no option.
    pub(crate) path: Option<PathBuf>,
}

impl Options {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self::default();
        while let Some(option) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{option} needs a value"));
            match option.as_str() {
                "--binary" => options.binary = Some(value()?.into()),
                "--out" => options.out = Some(value()?.into()),
                "--name" => options.name = Some(value()?),
                path if !path.starts_with('-') && options.path.is_none() => {
                    options.path = Some(path.into());
                }
                _ => bail!("unknown option {option}"),
            }
        }
        Ok(options)
    }

    /// `seawall:VERSION` unless named.
    pub(crate) fn image_name(&self) -> String {
        self.name.clone().unwrap_or_else(|| format!("seawall:{VERSION}"))
    }
}

/// The time that artifacts carry, in seconds since 1970: a build's own clock would make every build another.
/// Source: reproducible-builds.org, SOURCE_DATE_EPOCH.
pub(crate) fn epoch() -> Result<u64> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text.parse().context("SOURCE_DATE_EPOCH is no number of seconds"),
        Err(_) => Ok(0),
    }
}

#[test]
fn options_are_read_and_unknown_ones_refused() {
    let parse = |text: &str| Options::parse(text.split_whitespace().map(str::to_owned));
    let options = parse("--binary a --out b").unwrap();
    let expected =
        Options { binary: Some("a".into()), out: Some("b".into()), ..Options::default() };
    assert_eq!(options, expected);
    assert_eq!(parse("facts").unwrap().path, Some("facts".into()));
    assert_eq!(parse("facts more").unwrap_err().to_string(), "unknown option more");
    assert_eq!(options.image_name(), format!("seawall:{VERSION}"));
    assert_eq!(parse("--out").unwrap_err().to_string(), "--out needs a value");
    assert_eq!(parse("--push").unwrap_err().to_string(), "unknown option --push");
}

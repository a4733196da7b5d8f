//! The forms of a report of vulnerabilities.
use seawall_scan::Form as Scanned;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    Table,
    Json,
    Sarif,
    Junit,
    Gitlab,
    Markdown,
    #[value(name = "cyclonedx")]
    CycloneDx,
    Spdx,
    Csv,
    Html,
    #[value(name = "openvex")]
    OpenVex,
}

impl From<Form> for Scanned {
    fn from(form: Form) -> Self {
        match form {
            Form::Table => Self::Table,
            Form::Json => Self::Json,
            Form::Sarif => Self::Sarif,
            Form::Junit => Self::Junit,
            Form::Gitlab => Self::Gitlab,
            Form::Markdown => Self::Markdown,
            Form::CycloneDx => Self::CycloneDx,
            Form::Spdx => Self::Spdx,
            Form::Csv => Self::Csv,
            Form::Html => Self::Html,
            Form::OpenVex => Self::OpenVex,
        }
    }
}

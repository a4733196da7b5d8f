//! `--policy`: users' own policies, from files and directories.
use super::files::{self, Input};
use crate::exit::Failure;
use anyhow::anyhow;
use seawall_model::Problem;
use seawall_model::problem::ProblemKind;
use seawall_posture::manifests;
use seawall_posture::policies::{Document, NEWEST_MINOR, UserPolicies};
use std::path::PathBuf;

/// What does not load is a mistake in the call, told whole: half of one's policies would pass for all of them.
pub(super) fn load(
    paths: &[PathBuf],
    kubernetes: Option<&str>,
) -> Result<(UserPolicies, Vec<Problem>), Failure> {
    if paths.is_empty() {
        return Ok(Default::default());
    }
    let (inputs, mut problems) = files::inputs(paths)?;
    let read = manifests::read(inputs.iter().map(Input::file));
    problems.extend(read.problems.iter().cloned());
    let document = |object: &manifests::Object| Document {
        object: object.value.clone(),
        file: object.source().map(|source| source.file.clone()),
        line: object.source().map(|source| source.line),
    };
    let documents: Vec<Document> = read.objects.iter().map(document).collect();
    let minor = kubernetes.and_then(|version| version.strip_prefix("1.")?.parse().ok());
    let (policies, told) = UserPolicies::load(&documents, minor.unwrap_or(NEWEST_MINOR));
    problems.extend(told);
    let (notes, mistakes): (Vec<_>, Vec<_>) =
        problems.into_iter().partition(|problem| problem.kind < ProblemKind::Gap);
    if !mistakes.is_empty() {
        let mistakes: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        return Err(Failure::usage(anyhow!("policies do not load: {}", mistakes.join("; "))));
    }
    if policies.is_empty() {
        let named: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        return Err(Failure::usage(anyhow!("no policy found in {}", named.join(" "))));
    }
    Ok((policies, notes))
}

//! Frameworks as their readers know them: sections in their order, and the controls that answer each.
use seawall_model::Problem;
use seawall_posture::{Catalogue, Control, Framework, Request};
use serde::Deserialize;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// A framework in its newest version.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    /// `NAME@VERSION`.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) title: String,
    /// Where it is published.
    pub(crate) source: String,
    /// In the framework's order, those that no control answers too; what has no section comes last.
    pub(crate) sections: Vec<Section>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// As the framework writes it.
    pub(crate) number: Option<String>,
    pub(crate) title: Option<String>,
    /// Ids; a control that answers several sections stands in each.
    pub(crate) controls: Vec<String>,
}

impl Outline {
    /// Ids of its controls, each once.
    pub(crate) fn controls(&self) -> BTreeSet<&str> {
        self.sections.iter().flat_map(|section| &section.controls).map(String::as_str).collect()
    }

    /// Sections that no control answers: nobody but a person can tell.
    pub(crate) fn open_sections(&self) -> usize {
        self.sections.iter().filter(|section| section.controls.is_empty()).count()
    }
}

/// Names of techniques, of `attack.yaml`.
#[derive(Deserialize)]
struct Attack {
    techniques: Vec<Technique>,
}

#[derive(Deserialize)]
struct Technique {
    id: String,
    name: String,
}

/// Every framework, by name. `attack` names the sections of those that number by ATT&CK's techniques.
pub(super) fn outlines(catalogue: &Catalogue, attack: &str) -> (Vec<Outline>, Vec<Problem>) {
    let mut problems = Vec::new();
    let attack: Attack = serde_saphyr::from_str(attack).unwrap_or_else(|error| {
        problems.push(Problem::error("content", error.to_string()).file("attack.yaml"));
        Attack { techniques: Vec::new() }
    });
    let techniques: BTreeMap<&str, &str> =
        attack.techniques.iter().map(|one| (one.id.as_str(), one.name.as_str())).collect();
    let mut outlines = Vec::new();
    for framework in &catalogue.frameworks {
        let id = format!("{}@{}", framework.name, framework.newest());
        let request = Request { frameworks: vec![id.clone()], ..Request::default() };
        match catalogue.select(&request) {
            Ok(selection) => outlines.push(Outline {
                id,
                name: framework.name.clone(),
                version: framework.newest().to_owned(),
                title: framework.title.clone(),
                source: framework.source.clone(),
                sections: sections(catalogue, framework, selection.controls(), &techniques),
            }),
            Err(problem) => problems.push(*problem),
        }
    }
    (outlines, problems)
}

fn sections<'c>(
    catalogue: &Catalogue,
    framework: &Framework,
    controls: impl Iterator<Item = &'c Control>,
    techniques: &BTreeMap<&str, &str>,
) -> Vec<Section> {
    // What has no number: by the title of the included framework that it comes from, its own first.
    let mut rest: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
    let mut numbered: BTreeMap<&str, Vec<String>> =
        framework.sections.keys().map(|number| (number.as_str(), Vec::new())).collect();
    for control in controls {
        let of = |name: &str| control.frameworks.iter().find(|one| one.framework == name);
        let own = of(&framework.name);
        let numbers = own.map_or(&[] as &[String], |membership| &membership.sections);
        for number in numbers {
            numbered.entry(number).or_default().push(control.id.clone());
        }
        if numbers.is_empty() {
            let included = framework.includes.iter().find(|name| of(name).is_some());
            let included = included.filter(|_| own.is_none());
            let from = included.and_then(|name| catalogue.framework(name));
            rest.entry(from.map(|one| one.title.as_str())).or_default().push(control.id.clone());
        }
    }
    let mut sections: Vec<Section> = numbered
        .into_iter()
        .map(|(number, controls)| {
            let named = framework.sections.get(number).map(String::as_str);
            let title = named.or_else(|| techniques.get(number).copied()).map(str::to_owned);
            Section { number: Some(number.to_owned()), title, controls }
        })
        .collect();
    sections.sort_by(|a, b| natural(a.number.as_deref(), b.number.as_deref()));
    let rest = rest.into_iter().map(|(from, controls)| Section {
        number: None,
        title: from.map(str::to_owned),
        controls,
    });
    sections.extend(rest);
    sections
}

/// `1.2.9` before `1.2.10`.
fn natural(a: Option<&str>, b: Option<&str>) -> Ordering {
    let parts = |number: Option<&str>| -> Vec<(u64, String)> {
        let parts = number.unwrap_or_default().split('.');
        parts.map(|part| (part.parse().unwrap_or(u64::MAX), part.to_owned())).collect()
    };
    parts(a).cmp(&parts(b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;

    #[track_caller]
    fn check(framework: &str, position: usize, number: Option<&str>, title: Option<&str>) {
        let (content, problems) = Content::embedded();
        assert!(problems.is_empty(), "{problems:?}");
        let outline = content.outline(framework).unwrap_or_else(|| panic!("no {framework}"));
        let section = &outline.sections[position];
        assert_eq!((section.number.as_deref(), section.title.as_deref()), (number, title));
    }

    #[test]
    fn sections_come_in_the_frameworks_order_with_their_titles() {
        check(
            "cis-k8s@1.12",
            0,
            Some("1.1.1"),
            Some("API server static pod manifest: permissions"),
        );
        check("cis-k8s", 9, Some("1.1.10"), Some("CNI configuration files: ownership"));
        check("mitre@current", 0, Some("T1046"), Some("Network Service Discovery"));
        check("defender@current", 0, None, None);
        check("pss-restricted", 0, None, None);
        check("pss-restricted", 1, None, Some("Pod Security Standards, baseline"));
    }

    #[test]
    fn every_control_of_a_framework_stands_in_a_section_of_it() {
        let (content, _) = Content::embedded();
        for outline in content.outlines() {
            let members: BTreeSet<&str> = content.members(&outline.id).into_iter().collect();
            assert_eq!(outline.controls(), members, "{}", outline.id);
            assert!(!members.is_empty(), "{}", outline.id);
            for section in &outline.sections {
                let named = section.number.is_none() || section.title.is_some();
                assert!(named, "{}: section {:?} has no title", outline.id, section.number);
            }
        }
    }

    #[test]
    fn a_section_that_no_control_answers_is_told() {
        let (content, _) = Content::embedded();
        let outline = content.outline("cis-k8s").expect("it is embedded");
        let open: Vec<&str> = outline
            .sections
            .iter()
            .filter(|section| section.controls.is_empty())
            .filter_map(|section| section.number.as_deref())
            .collect();
        assert_eq!(open, ["3.1.2", "3.1.3"]);
        assert_eq!(outline.open_sections(), 2);
    }

    #[test]
    fn versions_other_than_the_newest_are_not_told_apart() {
        let (content, _) = Content::embedded();
        assert!(content.outline("pss-baseline@1.25").is_none());
        assert!(content.outline("no-such").is_none());
    }
}

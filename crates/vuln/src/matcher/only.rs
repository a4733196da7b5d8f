//! What a record asks beside the version: architecture, module, product, flavour. A channel is no such question: it
//! tells who can have a fix, not who is affected.
use super::subject::Subject;
use seawall_model::advisory::Only;
use seawall_model::finding::Qualifier;

/// Builds for every architecture.
const ANY_ARCH: [&str; 2] = ["noarch", "all"];

/// The architecture of source packages: statements on one are no statements on the package of the same name.
pub(super) const SOURCE: &str = "src";

/// Whether all holds.
pub(super) fn hold(only: Option<&Only>, subject: &Subject<'_>) -> bool {
    let none = Only::default();
    let only = only.unwrap_or(&none);
    fits_arch(only, subject)
        && fits_module(only, subject)
        && only.flavour.as_deref() == subject.flavour
        && fits_product(only, subject)
}

/// Everything that is asked, with its answer.
pub(super) fn qualifiers(only: Option<&Only>, subject: &Subject<'_>) -> Vec<Qualifier> {
    let none = Only::default();
    let only = only.unwrap_or(&none);
    let mut asked = Vec::new();
    let mut add = |kind: &str, required: Option<String>, installed: Option<String>, holds: bool| {
        if required.is_some() || !holds {
            asked.push(Qualifier { kind: kind.to_owned(), required, installed, holds });
        }
    };
    let owned = |text: Option<&str>| text.map(str::to_owned);
    let arches = (!only.arches.is_empty()).then(|| only.arches.join(","));
    add("arch", arches, owned(subject.arch), fits_arch(only, subject));
    let module = only.module.as_deref();
    add("module", owned(module), owned(subject.module), fits_module(only, subject));
    let flavour = only.flavour.as_deref();
    add("flavour", owned(flavour), owned(subject.flavour), flavour == subject.flavour);
    let products = subject.cpes.map(|cpes| cpes.join(" "));
    add("cpe", only.cpe.clone(), products, fits_product(only, subject));
    if let Some(channel) = &only.channel {
        let subscribed = subject.channels.contains(channel.as_str());
        let installed = subscribed.then(|| channel.clone());
        add("channel", Some(channel.clone()), installed, subscribed);
    }
    asked
}

fn fits_arch(only: &Only, subject: &Subject<'_>) -> bool {
    let any = |arch: &str| ANY_ARCH.contains(&arch);
    let mut arches = only.arches.iter();
    match subject.arch {
        Some(SOURCE) => arches.any(|arch| arch == SOURCE),
        _ if only.arches.is_empty() => true,
        own => arches
            .filter(|arch| *arch != SOURCE)
            .any(|arch| own.is_none_or(|own| any(own) || arch == own || any(arch))),
    }
}

/// Modules match modules only; `*` is one whose stream the record does not say.
fn fits_module(only: &Only, subject: &Subject<'_>) -> bool {
    match only.module.as_deref() {
        Some("*") => subject.module.is_some(),
        asked => asked == subject.module,
    }
}

/// Where nothing tells the products of a target, every one may be its own.
fn fits_product(only: &Only, subject: &Subject<'_>) -> bool {
    match (&only.cpe, subject.cpes) {
        (Some(product), Some(own)) => own.iter().any(|own| overlap(product, own)),
        _ => true,
    }
}

/// Whether one of two CPE 2.2 URIs names a part of what the other names: component by component, an absent one is any.
/// Source: CPE 2.2 specification, section 7 "Matching".
fn overlap(a: &str, b: &str) -> bool {
    a.split(':').zip(b.split(':')).all(|(a, b)| a == b || a.is_empty() || b.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(only: &Only, subject: &Subject<'_>, expected: &str) {
        let told: Vec<String> = qualifiers(Some(only), subject)
            .into_iter()
            .map(|own| format!("{}={}", own.kind, own.holds))
            .collect();
        assert_eq!(told.join(" "), expected);
        let others = told.iter().filter(|told| !told.starts_with("channel"));
        assert_eq!(
            others.into_iter().all(|told| told.ends_with("true")),
            hold(Some(only), subject)
        );
    }

    #[test]
    fn what_is_asked_is_answered() {
        let plain = Subject { arch: Some("x86_64"), ..Subject::plain("a", "1") };
        check(&Only::default(), &plain, "");
        let arches = |arch: &str| Only { arches: vec![arch.to_owned()], ..Only::default() };
        check(&arches("x86_64"), &plain, "arch=true");
        check(&arches("aarch64"), &plain, "arch=false");
        check(&arches("noarch"), &plain, "arch=true");
        check(&arches("aarch64"), &Subject { arch: Some("noarch"), ..plain.clone() }, "arch=true");
        check(&arches("aarch64"), &Subject::plain("a", "1"), "arch=true");
        let module = Only { module: Some("nodejs:18".into()), ..Only::default() };
        let of = |module| Subject { module, ..plain.clone() };
        check(&module, &plain, "module=false");
        check(&module, &of(Some("nodejs:18")), "module=true");
        check(&module, &of(Some("nodejs:20")), "module=false");
        check(&Only::default(), &of(Some("nodejs:20")), "module=false");
        let channel = Only { channel: Some("esm-apps".into()), ..Only::default() };
        check(&channel, &plain, "channel=false");
        let subscribed = Subject { channels: ["esm-apps"].into(), ..plain.clone() };
        check(&channel, &subscribed, "channel=true");
    }

    #[test]
    fn products_overlap_where_no_component_differs() {
        let own = ["cpe:/a:redhat:enterprise_linux:9::appstream".to_owned()];
        let subject = Subject { cpes: Some(&own), ..Subject::plain("a", "1") };
        let cpe = |cpe: &str| Only { cpe: Some(cpe.to_owned()), ..Only::default() };
        check(&cpe("cpe:/a:redhat:enterprise_linux:9::appstream"), &subject, "cpe=true");
        check(&cpe("cpe:/a:redhat:enterprise_linux:9"), &subject, "cpe=true");
        check(&cpe("cpe:/a:redhat:enterprise_linux:8::appstream"), &subject, "cpe=false");
        check(&cpe("cpe:/a:redhat:enterprise_linux:9::crb"), &subject, "cpe=false");
        check(&cpe("cpe:/a:redhat:rhel_eus:9.2"), &Subject::plain("a", "1"), "cpe=true");
    }
}

//! Ids of products become packages of a release: relationships lead from an id to a package and to the product it is a
//! component of, whose CPE says the release.
use super::document::{Branch, Product, Tree};
use crate::osv::alma::ANY_MODULE;
use packageurl::PackageUrl;
use std::collections::HashMap;
use std::str::FromStr;

/// Products within products: a package of a module of a repository is three.
const WITHIN: usize = 4;

/// A package in a product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Component {
    pub(super) name: String,
    /// `src` for a source package; none where the record does not say.
    pub(super) arch: Option<String>,
    /// Epoch, version and release, where the record is of a build.
    pub(super) version: Option<String>,
    /// `name:stream`.
    pub(super) module: Option<String>,
    pub(super) place: Place,
}

/// Where a product counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The major release.
    pub(super) release: String,
    /// What one of the target's repositories must belong to; none where only subscribers have the product, and whoever
    /// is none has nothing newer.
    pub(super) cpe: Option<String>,
    /// `rhel_eus:9.2`: builds beside the main stream, for subscribers.
    pub(super) channel: Option<String>,
}

#[derive(Default)]
pub(super) struct Products<'d> {
    cpes: HashMap<&'d str, &'d str>,
    purls: HashMap<&'d str, &'d str>,
    /// Id → package, product.
    relations: HashMap<&'d str, (&'d str, &'d str)>,
}

impl<'d> Products<'d> {
    pub(super) fn of(tree: &'d Tree) -> Self {
        let mut products = Self::default();
        tree.branches.iter().for_each(|branch| products.branch(branch));
        tree.full_product_names.iter().for_each(|product| products.product(product));
        for own in &tree.relationships {
            let ends = (own.product_reference.as_str(), own.relates_to_product_reference.as_str());
            products.relations.insert(&own.full_product_name.product_id, ends);
            products.product(&own.full_product_name);
        }
        products
    }

    /// As deep as the document, which its reader bounds.
    fn branch(&mut self, branch: &'d Branch) {
        branch.product.iter().for_each(|product| self.product(product));
        branch.branches.iter().for_each(|branch| self.branch(branch));
    }

    fn product(&mut self, product: &'d Product) {
        let Some(helper) = &product.product_identification_helper else { return };
        if let Some(cpe) = &helper.cpe {
            self.cpes.insert(&product.product_id, cpe);
        }
        if let Some(purl) = &helper.purl {
            self.purls.insert(&product.product_id, purl);
        }
    }

    /// The error is the class that the statement is left out under.
    pub(super) fn component(&self, id: &str) -> Result<Component, &'static str> {
        let (package, mut product) = *self.relations.get(id).ok_or("product not in the tree")?;
        let mut module = None;
        for _ in 0..WITHIN {
            let Some((inner, outer)) = self.relations.get(product) else { break };
            module = module.or_else(|| self.module(inner));
            product = outer;
        }
        let purl = self.purls.get(package).ok_or("no package URL")?;
        let purl = PackageUrl::from_str(purl).map_err(|_| "no package URL")?;
        if purl.ty() != "rpm" {
            return Err("not an rpm");
        }
        let qualifier = |name: &str| {
            let found = purl.qualifiers().iter().find(|(key, _)| key.as_ref() == name)?;
            Some(found.1.to_string())
        };
        let version = purl.version().map(|version| {
            let epoch =
                qualifier("epoch").or_else(|| epoch(package)).unwrap_or_else(|| "0".to_owned());
            format!("{epoch}:{version}")
        });
        let cpe = self.cpes.get(product).ok_or("no CPE")?;
        let place = place(cpe, version.as_deref()).ok_or("no release of RHEL")?;
        let module = qualifier("rpmmod").map(|own| stream(&own)).or(module);
        Ok(Component {
            name: purl.name().to_owned(),
            arch: qualifier("arch"),
            version,
            module,
            place,
        })
    }

    /// `pkg:rpmmod/redhat/nodejs@18:8060020220523160029:ad008a3a`.
    fn module(&self, id: &str) -> Option<String> {
        let purl = PackageUrl::from_str(self.purls.get(id)?).ok()?;
        let named = format!("{}:{}", purl.name(), purl.version().unwrap_or_default());
        (purl.ty() == "rpmmod").then(|| stream(&named))
    }
}

/// `nodejs:18` of `nodejs:18:8060020220523160029:ad008a3a`; a few say no stream.
fn stream(text: &str) -> String {
    let mut parts = text.split(':');
    match (parts.next(), parts.next().filter(|stream| !stream.is_empty())) {
        (Some(name), Some(stream)) => format!("{name}:{stream}"),
        _ => ANY_MODULE.to_owned(),
    }
}

/// Of `bind-32:9.8.2-0.68.rc1.el6_10.17.src`, where the package URL leaves it out.
fn epoch(product_id: &str) -> Option<String> {
    let (before, _) = product_id.split_once(':')?;
    let (_, epoch) = before.rsplit_once('-')?;
    (!epoch.is_empty() && epoch.bytes().all(|b| b.is_ascii_digit())).then(|| epoch.to_owned())
}

/// Support of a minor release beyond its time. Its builds stand beside newer ones of the main stream, so whose they are
/// must be known. Source: Red Hat's life cycle and CPE dictionary.
const BESIDE: [&str; 4] = ["rhel_eus", "rhel_aus", "rhel_tus", "rhel_e4s"];
/// Support after the end of the main stream: nothing stands beside it.
const AFTER: &str = "rhel_els";

/// `version`: of the package, whose release names the major where the CPE is of a product that runs on several.
pub(super) fn place(cpe: &str, version: Option<&str>) -> Option<Place> {
    let parts: Vec<&str> = cpe.strip_prefix("cpe:/")?.split(':').collect();
    let (product, of) = (*parts.get(2)?, parts.get(3).copied().unwrap_or_default());
    let number = |text: &str| {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        Some(digits).filter(|digits| !digits.is_empty())
    };
    // `::el9` of products on top.
    let named = parts.iter().skip(4).find_map(|part| number(part.strip_prefix("el")?));
    let own = || {
        let is_rhel = product == "enterprise_linux" || product.starts_with("rhel_");
        number(of).filter(|_| is_rhel && !product.starts_with("rhel_software"))
    };
    let built =
        || version?.split(['.', '-', '+']).rev().find_map(|part| number(part.strip_prefix("el")?));
    let release = named.or_else(own).or_else(built)?;
    let channel =
        (BESIDE.contains(&product) || product == AFTER).then(|| format!("{product}:{of}"));
    let cpe = (product != AFTER).then(|| cpe.to_owned());
    Some(Place { release, cpe, channel })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(cpe: &str, version: &str, expected: &str) {
        let told = place(cpe, Some(version)).map_or("-".to_owned(), |own| {
            let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
            format!("{} {} {}", own.release, text(own.cpe), text(own.channel))
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn products_tell_the_release() {
        let cpe = "cpe:/a:redhat:enterprise_linux:9::appstream";
        check(cpe, "0:1-1.el9", &format!("9 {cpe} -"));
        let cpe = "cpe:/o:redhat:enterprise_linux:10.0";
        check(cpe, "", &format!("10 {cpe} -"));
        let cpe = "cpe:/o:redhat:rhel_eus:9.2::baseos";
        check(cpe, "0:1-1.el9_2", &format!("9 {cpe} rhel_eus:9.2"));
        check("cpe:/o:redhat:rhel_els:6", "0:1-1.el6", "6 - rhel_els:6");
        let cpe = "cpe:/a:redhat:openshift:4.16::el9";
        check(cpe, "0:1.29.0-3.1.el8", &format!("9 {cpe} -"));
        let cpe = "cpe:/a:redhat:rhel_software_collections:3::el7";
        check(cpe, "", &format!("7 {cpe} -"));
        let cpe = "cpe:/a:redhat:jboss_core_services:1";
        check(cpe, "0:2.4.57-5.el8jbcs", &format!("8 {cpe} -"));
        check(cpe, "0:2.4.57-5", "-");
        check("not a cpe", "0:1-1.el9", "-");
    }

    #[test]
    fn builds_name_epoch_and_stream() {
        assert_eq!(epoch("bind-32:9.8.2-0.68.rc1.el6_10.17.src").as_deref(), Some("32"));
        assert_eq!(epoch("bind"), None);
        assert_eq!(stream("nodejs:18:8060020220523160029:ad008a3a"), "nodejs:18");
        assert_eq!(stream("rhel10"), "*");
    }
}

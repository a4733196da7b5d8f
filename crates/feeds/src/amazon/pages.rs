//! Amazon's web pages: the list of bulletins, and each bulletin. Pages name packages without their epoch.
use super::xml::{Step, walk};
use super::{Bulletin, Package};
use crate::records::is_cve;
use crate::time::day;
use seawall_model::Severity;

/// One entry of `alas.rss`. It names no version.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) link: String,
}

/// The error says why the list as a whole cannot be trusted.
pub(super) fn list(text: &[u8]) -> Result<Vec<Item>, String> {
    let (mut items, mut own, mut inside) = (Vec::new(), Item::default(), false);
    walk(text, "rss", |step| match step {
        Step::Open("item", _) => (own, inside) = (Item::default(), true),
        // `ALAS-2023-126 (important): device-mapper-multipath`
        Step::Close("title", text) if inside => {
            own.id = text.split([' ', '(']).next().unwrap_or_default().to_owned();
        }
        Step::Close("link", text) if inside => own.link = text.to_owned(),
        Step::Close("item", _) => {
            inside = false;
            items.push(std::mem::take(&mut own));
        }
        Step::Open(..) | Step::Close(..) => {}
    })?;
    Ok(items)
}

/// `None` if the page is no bulletin with packages.
pub(super) fn bulletin(page: &str) -> Option<Bulletin> {
    let after = |mark: &str| page.split_once(mark).map(|(_, rest)| rest);
    let plain = |rest: &str| rest.split('<').next().unwrap_or_default().trim().to_owned();
    let id = after("Security Advisory:</b>").map(plain).filter(|id| id.starts_with("ALAS"))?;
    let severity = after("<b>Severity:</b>").and_then(|rest| {
        let (_, rest) = rest.split_once("</div>").map(|(own, _)| own)?.rsplit_once("</span>")?;
        plain(rest).parse::<Severity>().ok()
    });
    let references = after("<div id='references'>")?.split("</div>").next()?;
    let cves = references.split(['>', '<', '&']).filter(|text| is_cve(text));
    let built = after("<div id='new_packages'>")?.split_once("<pre>")?.1.split_once("</pre>")?.0;
    let packages: Vec<Package> = built.split("<br />").filter_map(package).collect();
    let dated = |mark: &str| day(after(mark)?.trim().get(..10)?);
    Some(Bulletin {
        security: true,
        title: after("<h1 id=").and_then(|rest| rest.split_once('>')).map(|(_, rest)| plain(rest)),
        severity,
        issued: dated("Advisory Release Date:</b>"),
        updated: dated("Advisory Updated Date:</b>"),
        cves: cves.map(str::to_owned).collect(),
        references: Vec::new(),
        packages,
        id,
    })
    .filter(|own| !own.packages.is_empty())
}

/// `&nbsp;&nbsp;&nbsp; kpartx-0.8.7-16.amzn2023.0.1.aarch64`; lines without spaces head the architectures.
fn package(line: &str) -> Option<Package> {
    let (name, arch) = line.trim().trim_start_matches("&nbsp;").trim().rsplit_once('.')?;
    let (rest, release) = name.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    let version = format!("{version}-{release}");
    Some(Package { name: name.to_owned(), version, arch: arch.to_owned() })
}

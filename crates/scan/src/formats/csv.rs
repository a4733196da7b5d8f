//! One row per finding, in every state. Source: RFC 4180.
use super::told;
use crate::report::{Display, Report};
use seawall_posture::text::field;

const HEADER: &str = "id,aliases,title,severity,severity_source,score,state,package,installed,fix_status,fixed_in,purl,source_package,locations,layer,base_layer,kev,epss,record,exempt_by,exempt_reason";

pub(super) fn render(report: &Report, display: &Display) -> String {
    // RFC 4180 ends lines by CR LF.
    let mut text = format!("{HEADER}\r\n");
    for finding in super::shown(report, display) {
        let package = &finding.package;
        let exemption = finding.exemption.as_ref();
        let layer = package.layer.as_ref();
        let versions: Vec<&str> =
            finding.fix.versions.iter().map(|fix| fix.version.as_str()).collect();
        let fields: [&str; 21] = [
            &finding.id,
            &finding.aliases.join(" "),
            finding.title.as_deref().unwrap_or_default(),
            finding.severity.level.as_str(),
            finding.severity.source.as_deref().unwrap_or_default(),
            &finding.severity.score.map(|score| score.to_string()).unwrap_or_default(),
            told::state(finding),
            &package.name,
            &package.version,
            told::fix_status(finding.fix.status),
            &versions.join(" "),
            &package.purl,
            package.origin.as_deref().unwrap_or_default(),
            &package.locations.join(" "),
            layer.map(|layer| layer.diff_id.as_str()).unwrap_or_default(),
            match layer {
                Some(layer) if layer.base => "yes",
                Some(_) => "no",
                None => "",
            },
            &finding.kev.map(told::day).unwrap_or_default(),
            &finding.epss.as_ref().map(|epss| epss.score.to_string()).unwrap_or_default(),
            &finding.matched.record,
            exemption.and_then(|exemption| exemption.by.as_deref()).unwrap_or_default(),
            exemption.map(|exemption| exemption.reason.as_str()).unwrap_or_default(),
        ];
        text += &(fields.map(field).join(",") + "\r\n");
    }
    text
}

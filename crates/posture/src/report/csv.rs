//! One row per finding, in every state. Source: RFC 4180.
use super::row::told;
use super::{Report, Shown};
use crate::text::field;

const HEADER: &str = "control,title,severity,state,reason,api_version,kind,namespace,name,file,line,message,frameworks,exempt_by,exempt_reason,fixable,engine";

pub(super) fn render(report: &Report, shown: Shown<'_>) -> String {
    // RFC 4180 ends lines by CR LF.
    let mut text = format!("{HEADER}\r\n");
    for (finding, line) in report.shown(shown) {
        let resource = &finding.resource;
        let source = finding.source.as_ref();
        let line = line.or(source.map(|source| source.line)).map(|line| line.to_string());
        let exemption = finding.exemption.as_ref();
        let fields: [&str; 17] = [
            &finding.control,
            &finding.title,
            finding.severity.as_str(),
            finding.state.as_str(),
            finding.reason.as_deref().unwrap_or_default(),
            &resource.api_version,
            &resource.kind,
            resource.namespace.as_deref().unwrap_or_default(),
            &resource.name,
            source.map(|source| source.file.as_str()).unwrap_or_default(),
            line.as_deref().unwrap_or_default(),
            &told(finding),
            &finding.frameworks.join(" "),
            exemption.and_then(|exemption| exemption.by.as_deref()).unwrap_or_default(),
            exemption.map(|exemption| exemption.reason.as_str()).unwrap_or_default(),
            if finding.fix.is_empty() { "no" } else { "yes" },
            &finding.engine,
        ];
        text += &(fields.map(field).join(",") + "\r\n");
    }
    text
}

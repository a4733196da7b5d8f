//! What is known of a flaw beside the advisories: how likely it is exploited, and how NVD rates it where nobody nearer
//! does.
use crate::index::IndexSet;
use crate::score;
use crate::segment::{DetailsCache, SegmentError};
use seawall_model::Severity;
use seawall_model::finding::{SeverityOf, VulnFinding};

/// Vendor and ecosystem have spoken before.
pub(super) fn enrich(
    finding: &mut VulnFinding,
    index: &IndexSet,
    details: &mut DetailsCache,
) -> Result<(), SegmentError> {
    let own = index.enrichment();
    finding.epss = own.epss.as_ref().and_then(|epss| epss.of(&finding.id));
    let unrated = finding.severity.level == Severity::Unknown;
    let Some(nvd) = own.nvd.as_ref().filter(|_| unrated || finding.title.is_none()) else {
        return Ok(());
    };
    let Some(rated) = nvd.of(&finding.id, details)? else { return Ok(()) };
    if unrated && let Some(level) = rated.vector.as_deref().and_then(score::level) {
        finding.severity = SeverityOf {
            level,
            source: Some(nvd.meta().feed.key.clone()),
            score: rated.vector.as_deref().and_then(score::score),
            vector: rated.vector,
        };
    }
    finding.title = finding.title.take().or(rated.title);
    Ok(())
}

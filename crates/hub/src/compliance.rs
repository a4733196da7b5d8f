//! What the store counted of a control, as scores take it.
use seawall_posture::score::Tally;

/// Accepted risks are left out, mitigated ones count as satisfied. Source: posture.md, section 9.
pub(crate) fn tally(counted: &seawall_store::Tally) -> Tally {
    let passed = u128::from(counted.healthy.tenths) + u128::from(counted.mitigated.tenths);
    let weight_failed = u128::from(counted.unhealthy.tenths);
    Tally {
        passed: counted.healthy.resources + counted.mitigated.resources,
        failed: counted.unhealthy.resources,
        unknown: counted.unknown.resources,
        weight_failed,
        weight_all: passed + weight_failed,
    }
}

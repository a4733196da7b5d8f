//! Severity from CVSS vectors. Source: first.org, CVSS 2.0 3.2.1, 3.1 section 5, 4.0 section 6.
use seawall_model::Severity;

/// The base score of a CVSS 2, 3 or 4 vector, 0 to 10. `None` if the vector is not one.
pub fn score(vector: &str) -> Option<f64> {
    let base: &[&str] = match vector.split_once('/')?.0 {
        "CVSS:3.0" | "CVSS:3.1" => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
        "CVSS:4.0" => &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"],
        _ => &["AV", "AC", "Au", "C", "I", "A"],
    };
    // `cvss` 3.0 scores a vector that lacks base metrics as if they were harmless.
    let named = |metric: &&str| {
        vector.split('/').any(|part| part.split_once(':').is_some_and(|(name, _)| name == *metric))
    };
    if !base.iter().all(named) {
        return None;
    }
    let score = vector.parse::<cvss::Cvss>().ok()?.score();
    score.is_finite().then_some(score)
}

/// The qualitative scale. CVSS 2 has no `critical` and no `none`; its vector starts without a version.
pub fn level(vector: &str) -> Option<Severity> {
    let score = score(vector)?;
    let old = !vector.starts_with("CVSS:");
    Some(match score {
        s if s >= 9.0 && !old => Severity::Critical,
        s if s >= 7.0 => Severity::High,
        s if s >= 4.0 => Severity::Medium,
        s if s > 0.0 || old => Severity::Low,
        _ => Severity::Info,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(vector: &str, expected: Option<(f64, Severity)>) {
        assert_eq!(score(vector).zip(level(vector)), expected, "{vector}");
    }

    /// Scores as NVD and first.org publish them.
    #[test]
    fn vectors_have_their_published_scores() {
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", Some((10.0, Severity::Critical)));
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", Some((9.8, Severity::Critical)));
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", Some((7.5, Severity::High)));
        check("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", Some((6.1, Severity::Medium)));
        check("CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", Some((1.8, Severity::Low)));
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", Some((0.0, Severity::Info)));
        check("AV:N/AC:L/Au:N/C:C/I:C/A:C", Some((10.0, Severity::High)));
        check("AV:N/AC:M/Au:N/C:N/I:P/A:N", Some((4.3, Severity::Medium)));
        check(
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
            Some((10.0, Severity::Critical)),
        );
        check(
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
            Some((9.3, Severity::Critical)),
        );
        check("CVSS:3.1/AV:N", None);
        check("CVSS:9.9/AV:N/AC:L", None);
        check("", None);
        check("high", None);
    }
}

//! How much one resource, and one control, weighs in a risk score. Both are whole numbers inside, so that adding and
//! taking away again leaves nothing behind, as sums of fractions would.
use seawall_model::Severity;
use serde_json::Value;

/// Tenths: a replica beside others weighs 1.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight(u64);

impl Weight {
    /// One resource alone.
    pub const ONE: Self = Self(10);

    /// Of a workload as it stands: `replicas × 1.1` where there are several, `desiredNumberScheduled` of a DaemonSet
    /// that a cluster has scheduled; everything else is [`Self::ONE`].
    pub fn of(object: &Value) -> Self {
        let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_u64);
        if object.get("kind").and_then(Value::as_str) == Some("DaemonSet") {
            let scheduled = number("/status/desiredNumberScheduled");
            return scheduled.map_or(Self::ONE, |nodes| Self(nodes.saturating_mul(10)));
        }
        match number("/spec/replicas") {
            Some(replicas) if replicas > 1 => Self(replicas.saturating_mul(11)),
            _ => Self::ONE,
        }
    }

    pub fn tenths(self) -> u64 {
        self.0
    }
}

/// Thousandths of a control's base score, 0 to 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Base(u32);

impl Base {
    /// The control's own base score, else 9, 7, 5, 3 and 0 by severity.
    pub fn new(own: Option<f64>, severity: Severity) -> Self {
        let by_severity = match severity {
            Severity::Critical => 9.0,
            Severity::High => 7.0,
            Severity::Medium => 5.0,
            Severity::Low => 3.0,
            Severity::Info | Severity::Unknown => 0.0,
        };
        let score = own.filter(|score| score.is_finite()).unwrap_or(by_severity).clamp(0.0, 10.0);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=10 above"
        )]
        Self((score * 1000.0).round() as u32)
    }

    pub(super) fn thousandths(self) -> u128 {
        self.0.into()
    }
}

#[test]
fn weights_follow_what_runs() {
    use serde_json::json;
    #[track_caller]
    fn check(object: Value, tenths: u64) {
        assert_eq!(Weight::of(&object), Weight(tenths), "{object}");
    }
    check(json!({"kind": "Pod"}), 10);
    check(json!({"kind": "Deployment", "spec": {}}), 10);
    check(json!({"kind": "Deployment", "spec": {"replicas": 0}}), 10);
    check(json!({"kind": "Deployment", "spec": {"replicas": 1}}), 10);
    check(json!({"kind": "Deployment", "spec": {"replicas": 3}}), 33);
    check(json!({"kind": "Deployment", "spec": {"replicas": "3"}}), 10);
    check(json!({"kind": "DaemonSet", "spec": {}}), 10);
    check(json!({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 12}}), 120);
    check(json!({"kind": "DaemonSet", "status": {"desiredNumberScheduled": 0}}), 0);
    check(json!({"kind": "Deployment", "spec": {"replicas": u64::MAX}}), u64::MAX);
}

#[test]
fn bases_follow_severity_unless_named() {
    for (own, severity, thousandths) in [
        (None, Severity::Critical, 9_000),
        (None, Severity::High, 7_000),
        (None, Severity::Medium, 5_000),
        (None, Severity::Low, 3_000),
        (None, Severity::Info, 0),
        (None, Severity::Unknown, 0),
        (Some(6.5), Severity::Low, 6_500),
        (Some(99.0), Severity::Low, 10_000),
        (Some(f64::NAN), Severity::Low, 3_000),
    ] {
        assert_eq!(Base::new(own, severity), Base(thousandths), "{own:?} {severity}");
    }
}

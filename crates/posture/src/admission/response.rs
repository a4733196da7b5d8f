//! The answer as the API server reads it. Source: k8s.io/api `admission/v1/types.go`, 1.36.
use super::review::API_VERSION;
use serde_json::{Map, Value, json};

/// What is answered beside yes or no.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// Why not; none allows.
    pub(super) denial: Option<Denied>,
    pub(super) warnings: Vec<String>,
    pub(super) annotations: Vec<(String, String)>,
}

/// Why a request is refused.
#[derive(Debug)]
pub(super) struct Denied {
    pub(super) message: String,
    /// HTTP status and metav1.StatusReason of the first refusal.
    pub(super) code: u16,
    pub(super) reason: String,
}

impl Response {
    /// JSON text; `uid` is the review's.
    pub(super) fn bytes(self, uid: &str) -> Vec<u8> {
        let mut response = Map::new();
        response.insert("uid".to_owned(), uid.into());
        response.insert("allowed".to_owned(), self.denial.is_none().into());
        if let Some(denied) = self.denial {
            let Denied { message, code, reason } = denied;
            let status =
                json!({"status": "Failure", "code": code, "reason": reason, "message": message});
            response.insert("status".to_owned(), status);
        }
        if !self.warnings.is_empty() {
            response.insert("warnings".to_owned(), self.warnings.into());
        }
        if !self.annotations.is_empty() {
            let annotations = self.annotations.into_iter();
            let annotations = annotations.map(|(key, value)| (key, Value::from(value)));
            response.insert("auditAnnotations".to_owned(), Value::Object(annotations.collect()));
        }
        let review =
            json!({"apiVersion": API_VERSION, "kind": "AdmissionReview", "response": response});
        review.to_string().into_bytes()
    }
}

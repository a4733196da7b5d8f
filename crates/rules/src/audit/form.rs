//! The normal form: a record of `audit.k8s.io`, typed. Every other source is first rewritten as one.
//! Source: `k8s.io/apiserver/pkg/apis/audit/v1/types.go`; `v1beta1` and older files have `timestamp` besides.
use crate::clock::parse_time;
use seawall_model::audit::{AuditEvent, ObjectRef, Stage};
use serde_json::{Map, Value};

/// What the wrapping knows of a record.
#[derive(Clone, Debug, Default)]
pub(super) struct Around {
    pub(super) cluster: Option<String>,
    /// Epoch nanoseconds, for a record without time of its own.
    pub(super) time_ns: Option<u64>,
}

/// Whether it is a record of an API server, by its own words; `Event` is also the name of another kind.
pub(super) fn is_event(json: &Map<String, Value>) -> bool {
    let text = |key: &str| json.get(key).and_then(Value::as_str);
    let version = matches!(
        json.get("apiVersion").map(Value::as_str),
        None | Some(Some("audit.k8s.io/v1" | "audit.k8s.io/v1beta1"))
    );
    let kind = match text("kind") {
        Some(kind) => kind == "Event",
        None => !json.contains_key("kind"),
    };
    let own = ["auditID", "requestURI", "objectRef", "responseStatus", "stage", "verb"];
    let known = own.iter().filter(|key| json.contains_key(**key)).count();
    version && kind && known >= if json.contains_key("kind") { 1 } else { 2 }
}

/// Reads a record. Fields of a wrong type are absent, and named.
pub(super) fn read(mut json: Map<String, Value>, around: &Around) -> (AuditEvent, Vec<String>) {
    super::redact::redact(&mut json);
    let mut wrong = Vec::new();
    let mut top = Fields { of: &json, at: "", wrong: &mut wrong };
    let (verb, uri) = (top.text("verb"), top.text("requestURI"));
    let object = top.inner("objectRef", |fields| ObjectRef {
        group: fields.text("apiGroup").unwrap_or_default(),
        version: fields.text("apiVersion"),
        resource: fields.text("resource"),
        subresource: fields.text("subresource"),
        namespace: fields.text("namespace"),
        name: fields.text("name"),
        uid: fields.text("uid"),
    });
    let stage = top.parsed("stage", Stage::parse).unwrap_or_else(|| {
        usual_stage(verb.as_deref(), object.as_ref().and_then(|at| at.subresource.as_deref()))
    });
    let times = ["stageTimestamp", "requestReceivedTimestamp", "timestamp"];
    let time_ns = times.iter().find_map(|key| top.parsed(key, parse_time)).or(around.time_ns);
    let (user, groups) = top
        .inner("user", |fields| (fields.text("username"), fields.texts("groups")))
        .unwrap_or_default();
    let impersonated = top.inner("impersonatedUser", |fields| fields.text("username")).flatten();
    let (code, reason) = top
        .inner("responseStatus", |fields| (fields.code("code"), fields.text("reason")))
        .unwrap_or_default();
    let (decision, decision_reason) = top
        .inner("annotations", |fields| {
            let of = "authorization.k8s.io";
            (fields.text(&format!("{of}/decision")), fields.text(&format!("{of}/reason")))
        })
        .unwrap_or_default();
    let event = AuditEvent {
        id: top.text("auditID"),
        stage,
        time_ns,
        cluster: around.cluster.clone(),
        user,
        groups,
        impersonated,
        addresses: top.texts("sourceIPs"),
        user_agent: top.text("userAgent"),
        verb,
        query: uri.as_deref().map(query).unwrap_or_default(),
        uri,
        object,
        code,
        reason,
        decision,
        decision_reason,
        json: Value::Null,
    };
    // Rules read the stage here too, and a wrong one would hide the record from them.
    json.insert("stage".into(), stage.as_str().into());
    (AuditEvent { json: Value::Object(json), ..event }, wrong)
}

/// Collectors drop the stage, and keep of each request the record that matters.
fn usual_stage(verb: Option<&str>, subresource: Option<&str>) -> Stage {
    match (verb, subresource) {
        (Some("watch"), _) | (_, Some("exec" | "attach" | "portforward")) => Stage::ResponseStarted,
        _ => Stage::ResponseComplete,
    }
}

/// Names and values of a URI's query, decoded.
pub(super) fn query(uri: &str) -> Vec<(String, String)> {
    let Some((_, query)) = uri.split_once('?') else { return Vec::new() };
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Reads typed fields of an object.
struct Fields<'j, 'w> {
    of: &'j Map<String, Value>,
    /// Where the object lies, for complaints.
    at: &'j str,
    wrong: &'w mut Vec<String>,
}

impl<'j> Fields<'j, '_> {
    /// `None` for what is absent or null, and with a complaint for what `read` refuses.
    fn read<T>(&mut self, key: &str, read: impl FnOnce(&'j Value) -> Option<T>) -> Option<T> {
        let value = self.of.get(key).filter(|value| !value.is_null())?;
        let found = read(value);
        if found.is_none() {
            self.wrong.push(format!("{}/{key}", self.at));
        }
        found
    }

    fn text(&mut self, key: &str) -> Option<String> {
        self.read(key, |value| value.as_str().map(str::to_owned)).filter(|text| !text.is_empty())
    }

    fn parsed<T>(&mut self, key: &str, parse: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        self.read(key, |value| parse(value.as_str()?))
    }

    fn code(&mut self, key: &str) -> Option<u16> {
        self.read(key, |value| u16::try_from(value.as_u64()?).ok())
    }

    /// The texts of a list; one that is no text makes the list wrong, the others stay.
    fn texts(&mut self, key: &str) -> Vec<String> {
        let items = self.read(key, Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<String> =
            items.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if texts.len() != items.len() {
            self.wrong.push(format!("{}/{key}", self.at));
        }
        texts
    }

    fn inner<T>(&mut self, key: &str, read: impl FnOnce(&mut Fields<'_, '_>) -> T) -> Option<T> {
        let of = self.read(key, Value::as_object)?;
        let at = format!("{}/{key}", self.at);
        Some(read(&mut Fields { of, at: &at, wrong: self.wrong }))
    }
}

//! The normal form: a record of `audit.k8s.io`, typed. Every other source is first rewritten as one.
//! Source: `k8s.io/apiserver/pkg/apis/audit/v1/types.go`; `v1beta1` and older files have `timestamp` besides.
use crate::clock::parse_time;
use seawall_model::audit::{AuditEvent, ObjectRef, Stage};
use serde_json::{Map, Value};

/// Pairs of a query; an API server reads none of more. Source: Go 1.24.12, `net/url`, `urlmaxqueryparams`.
const MAX_PAIRS: usize = 10_000;

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
    // Counted before masking, which leaves empty pairs out.
    let is_query_read = json.get("requestURI").and_then(Value::as_str).is_some_and(is_query_read);
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
        query: uri.as_deref().filter(|_| is_query_read).map(read_query).unwrap_or_default(),
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

fn is_query_read(uri: &str) -> bool {
    uri.split_once('?').is_none_or(|(_, query)| query.split('&').count() <= MAX_PAIRS)
}

/// What the API server reads of the query: Go drops a pair with a `;` or with a `%` that is no escape, and keeps the
/// others. Source: `net/url`, `parseQuery`.
fn read_query(uri: &str) -> Vec<(String, String)> {
    let Some((_, pairs)) = uri.split_once('?') else { return Vec::new() };
    let pairs = pairs.split('&').filter(|pair| !pair.contains(';') && has_whole_escapes(pair));
    pairs.flat_map(|pair| form_urlencoded::parse(pair.as_bytes()).into_owned()).collect()
}

fn has_whole_escapes(text: &str) -> bool {
    let mut parts = text.as_bytes().split(|byte| *byte == b'%').skip(1);
    parts.all(|part| part.len() >= 2 && part[..2].iter().all(u8::is_ascii_hexdigit))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_query_is_read_what_go_reads() {
        #[track_caller]
        fn check(query: &str, expected: &[(&str, &str)]) {
            let json = serde_json::json!({"requestURI": format!("/api?{query}"), "verb": "create"});
            let Value::Object(json) = json else { unreachable!("written above") };
            let (event, _) = read(json, &Around::default());
            let found: Vec<_> = event.query.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(found, expected, "{query}");
        }
        let all = ("dryRun", "All");
        check("dryRun=All", &[all]);
        check("dryRun=A%6cl&&a+b", &[all, ("a b", "")]);
        check("a=b=c?d", &[("a", "b=c?d")]);
        for dropped in
            ["dryRun=%zz", "dryRun=All;", "dryRun=All%", "dryRun=All%4", "dry%R=1", ";", "a=%%41"]
        {
            check(dropped, &[]);
            check(&format!("{dropped}&dryRun=All"), &[all]);
        }
        check(&format!("dryRun=All{}", "&".repeat(MAX_PAIRS - 1)), &[all]);
        check(&format!("dryRun=All{}", "&".repeat(MAX_PAIRS)), &[]);
        // Masking writes the query anew.
        check(&format!("dryRun=All&command=--password&command=x{}", "&".repeat(MAX_PAIRS)), &[]);
        check(
            "dryRun=All;&command=--password&command=x",
            &[("dryRun", "All;"), ("command", "--password"), ("command", "<masked>")],
        );
    }
}

//! What our configuration has to say, and the JSON Patch (RFC 6902) that makes it say so.
//!
//! Ours are the CA and the failure policy of every webhook, and the whole of `policies.seawall.internal`, which copies
//! the chart's entry but for its name and rules.
//!
//! Upgrades by Helm leave the second entry and our annotations alone, in both of its ways. Its three-way merge takes
//! `webhooks` by name and deletes only names that its own last manifest had. Server-side apply, Helm 4's default, takes
//! them by name too, and removes what its own manager wrote. Either sets the failure policy back to the chart's `Ignore`:
//! the merge silently, server-side apply only with `--force-conflicts`. Hence a `Fail` that became `Ignore` is mended
//! without an alert.
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// The second entry: what users' policies and controls on other kinds judge.
pub const POLICIES: &str = "policies.seawall.internal";
/// RFC 3339, of the last error that any agent met; only while `Fail` is wanted.
const LAST_ERROR: &str = "seawall.dev/last-error";
/// Digest of our values as an agent wrote them last: what differs without being ours was changed by somebody else.
const KEPT: &str = "seawall.dev/kept";

/// Values to be put in place.
pub(super) struct Values<'a> {
    /// PEM in base64; none where the owner of the configuration writes it.
    pub(super) ca: Option<&'a str>,
    pub(super) failure_policy: &'static str,
    /// Of the second entry, which is there while they are not empty; none leaves it as it is.
    pub(super) rules: Option<&'a [Value]>,
    pub(super) last_error: Option<&'a str>,
}

/// What a look at the configuration came to.
pub(super) struct Plan {
    /// Empty where all is in place.
    pub(super) operations: Vec<Value>,
    /// Webhooks without what is ours.
    pub(super) rest: Value,
    /// Values that are put in place had been changed since an agent wrote them last.
    pub(super) foreign: bool,
}

/// The chart's entry, which the second one copies.
pub(super) fn first(configuration: &Value) -> Option<&Value> {
    let mut webhooks = configuration["webhooks"].as_array()?.iter();
    webhooks.find(|webhook| webhook["name"] != POLICIES)
}

/// The annotation of the last error.
pub(super) fn last_error(configuration: &Value) -> Option<&str> {
    configuration["metadata"]["annotations"][LAST_ERROR].as_str()
}

pub(super) fn plan(found: &Value, values: &Values<'_>) -> Plan {
    let live = found["webhooks"].as_array().map_or(&[][..], Vec::as_slice);
    let mut operations = Vec::new();
    let mut placed: Vec<Value> = Vec::new();
    for (index, webhook) in live.iter().enumerate().filter(|(_, webhook)| !is_second(webhook)) {
        let wanted = with_ours(webhook, values);
        change(&mut operations, index, webhook, &wanted, values);
        placed.push(wanted);
    }
    let at = live.iter().position(is_second);
    let second = match (values.rules, placed.first()) {
        (Some([]), _) | (_, None) => None,
        (Some(rules), Some(first)) => Some(second(first, rules)),
        (None, _) => at.map(|at| with_ours(&live[at], values)),
    };
    // Last, so that the places of the others stay right.
    match (at, &second) {
        (Some(at), Some(second)) if live[at] != *second => {
            operations.push(named(at, &live[at]));
            operations
                .push(json!({"op": "replace", "path": format!("/webhooks/{at}"), "value": second}));
        }
        (Some(at), None) => {
            operations.push(named(at, &live[at]));
            operations.push(json!({"op": "remove", "path": format!("/webhooks/{at}")}));
        }
        (None, Some(second)) => {
            operations.push(json!({"op": "add", "path": "/webhooks/-", "value": second}));
        }
        _ => {}
    }
    placed.extend(second);
    let annotations = &found["metadata"]["annotations"];
    let foreign = !operations.is_empty() && is_foreign(live, annotations[KEPT].as_str());
    let notes = [(KEPT, Some(digest(&placed))), (LAST_ERROR, values.last_error.map(str::to_owned))];
    annotate(&mut operations, annotations, notes);
    if !operations.is_empty() {
        // Whatever changed since the read refuses the patch, and the entry is looked at again: of two agents that both
        // miss the second entry only one adds it.
        let version = json!({"op": "test", "path": "/metadata/resourceVersion",
            "value": found["metadata"]["resourceVersion"]});
        operations.insert(0, version);
    }
    Plan { operations, rest: rest(live), foreign }
}

fn is_second(webhook: &Value) -> bool {
    webhook["name"] == POLICIES
}

/// The webhook with our CA and failure policy.
fn with_ours(webhook: &Value, values: &Values<'_>) -> Value {
    let mut wanted = webhook.clone();
    wanted["failurePolicy"] = values.failure_policy.into();
    if let Some(ca) = values.ca {
        wanted["clientConfig"]["caBundle"] = ca.into();
    }
    wanted
}

fn second(first: &Value, rules: &[Value]) -> Value {
    let mut second = first.clone();
    second["name"] = POLICIES.into();
    second["rules"] = rules.into();
    second
}

fn named(index: usize, webhook: &Value) -> Value {
    json!({"op": "test", "path": format!("/webhooks/{index}/name"), "value": webhook["name"]})
}

fn change(
    operations: &mut Vec<Value>,
    index: usize,
    live: &Value,
    wanted: &Value,
    values: &Values<'_>,
) {
    if live == wanted {
        return;
    }
    let at = format!("/webhooks/{index}");
    operations.push(named(index, live));
    if let Some(ca) = values.ca.filter(|ca| live["clientConfig"]["caBundle"] != *ca) {
        let path = format!("{at}/clientConfig/caBundle");
        operations.push(json!({"op": "add", "path": path, "value": ca}));
    }
    if live["failurePolicy"] != values.failure_policy {
        let path = format!("{at}/failurePolicy");
        operations.push(json!({"op": "add", "path": path, "value": values.failure_policy}));
    }
}

/// Whether our values are other ones than an agent wrote last. A `Fail` of ours that is `Ignore` again does not count.
fn is_foreign(live: &[Value], kept: Option<&str>) -> bool {
    let mut refusing = live.to_vec();
    refusing.iter_mut().for_each(|webhook| webhook["failurePolicy"] = "Fail".into());
    let is_kept = |webhooks: &[Value]| kept == Some(digest(webhooks).as_str());
    !is_kept(live) && !is_kept(&refusing)
}

fn digest(webhooks: &[Value]) -> String {
    let own = |webhook: &Value| match is_second(webhook) {
        true => sorted(webhook),
        false => {
            json!([webhook["name"], webhook["failurePolicy"], webhook["clientConfig"]["caBundle"]])
        }
    };
    let mut values: Vec<String> = webhooks.iter().map(|webhook| own(webhook).to_string()).collect();
    values.sort_unstable();
    let hash = Sha256::digest(values.join("\n"));
    // Half of it tells values apart; nobody gains by a second that is alike.
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// With the members of each object in one order, whoever wrote them.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_unstable_by_key(|(key, _)| *key);
            members.into_iter().map(|(key, value)| (key.clone(), sorted(value))).collect()
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

fn annotate(operations: &mut Vec<Value>, live: &Value, notes: [(&str, Option<String>); 2]) {
    let mut changes = Vec::new();
    for (key, value) in notes {
        let path = format!("/metadata/annotations/{}", key.replace('/', "~1"));
        match (value, live[key].as_str()) {
            (Some(value), other) if other != Some(value.as_str()) => {
                changes.push(json!({"op": "add", "path": path, "value": value}));
            }
            (None, Some(_)) => changes.push(json!({"op": "remove", "path": path})),
            _ => {}
        }
    }
    if !changes.is_empty() && !live.is_object() {
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    operations.extend(changes);
}

/// What of the webhooks is not ours.
fn rest(live: &[Value]) -> Value {
    let foreign = live.iter().filter(|webhook| !is_second(webhook));
    let without = foreign.map(|webhook| {
        let mut webhook = webhook.clone();
        webhook
            .as_object_mut()
            .map(|webhook: &mut Map<String, Value>| webhook.shift_remove("failurePolicy"));
        let client = webhook.get_mut("clientConfig").and_then(Value::as_object_mut);
        client.and_then(|client| client.shift_remove("caBundle"));
        webhook
    });
    without.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configuration(webhooks: &[(&str, Option<&str>, &str)]) -> Value {
        let webhook = |(name, ca, policy): &(&str, Option<&str>, &str)| {
            let mut client = json!({"service": {"name": "seawall-agent"}});
            if let Some(ca) = ca {
                client["caBundle"] = (*ca).into();
            }
            json!({"name": name, "clientConfig": client, "failurePolicy": policy, "rules": [1]})
        };
        let webhooks: Vec<_> = webhooks.iter().map(webhook).collect();
        json!({"metadata": {"resourceVersion": "7"}, "webhooks": webhooks})
    }

    fn values<'a>(policy: &'static str, rules: Option<&'a [Value]>) -> Values<'a> {
        Values { ca: Some("ca"), failure_policy: policy, rules, last_error: None }
    }

    /// The configuration after the plan, and the plan. Its operations are applied as an API server does.
    #[track_caller]
    fn applied(found: &Value, values: &Values<'_>) -> (Value, Plan) {
        let plan = plan(found, values);
        let mut after = found.clone();
        for operation in &plan.operations {
            let path = operation["path"].as_str().unwrap();
            let (parent, key) = path.rsplit_once('/').unwrap();
            let key = key.replace("~1", "/");
            let value = operation["value"].clone();
            if operation["op"] == "test" {
                assert_eq!(after.pointer(path), Some(&value), "{path}");
                continue;
            }
            match (after.pointer_mut(parent).unwrap(), operation["op"].as_str().unwrap()) {
                (Value::Array(list), "add") => list.push(value),
                (Value::Array(list), "replace") => list[key.parse::<usize>().unwrap()] = value,
                (Value::Array(list), "remove") => drop(list.remove(key.parse().unwrap())),
                (Value::Object(members), "add") => drop(members.insert(key, value)),
                (Value::Object(members), "remove") => drop(members.shift_remove(&key)),
                other => panic!("{other:?}"),
            }
        }
        (after, plan)
    }

    #[test]
    fn only_what_differs_is_patched() {
        #[track_caller]
        fn check(
            found: &[(&str, Option<&str>, &str)],
            values: &Values<'_>,
            expected: &[(&str, Option<&str>, &str)],
        ) {
            let (after, _) = applied(&configuration(found), values);
            assert_eq!(after["webhooks"], configuration(expected)["webhooks"]);
            let (again, second) = applied(&after, values);
            assert_eq!((second.operations, second.foreign), (Vec::new(), false));
            assert_eq!(again, after);
        }
        let ignore = values("Ignore", Some(&[]));
        check(&[], &ignore, &[]);
        check(&[("a", None, "Ignore")], &ignore, &[("a", Some("ca"), "Ignore")]);
        check(&[("a", Some("old"), "Fail")], &ignore, &[("a", Some("ca"), "Ignore")]);
        check(
            &[("a", Some("ca"), "Ignore"), ("b", Some("x"), "Ignore")],
            &values("Fail", Some(&[])),
            &[("a", Some("ca"), "Fail"), ("b", Some("ca"), "Fail")],
        );
        // The second entry comes, follows the first, and goes.
        let one = [json!(1)];
        let wanted = [("a", Some("ca"), "Fail"), (POLICIES, Some("ca"), "Fail")];
        check(&[("a", None, "Ignore")], &values("Fail", Some(&one)), &wanted);
        check(
            &[("a", None, "Ignore"), (POLICIES, None, "Ignore")],
            &values("Fail", Some(&one)),
            &wanted,
        );
        check(&wanted, &ignore, &[("a", Some("ca"), "Ignore")]);
        check(&wanted, &values("Fail", None), &wanted);
        // Alone it has nothing to copy.
        check(&[(POLICIES, None, "Ignore")], &values("Fail", Some(&one)), &[]);
        let own_ca = Values { ca: None, ..values("Fail", Some(&one)) };
        check(
            &[("a", Some("x"), "Ignore")],
            &own_ca,
            &[("a", Some("x"), "Fail"), (POLICIES, Some("x"), "Fail")],
        );
    }

    #[test]
    fn who_changed_our_values_is_known() {
        #[track_caller]
        fn check(policy: &'static str, change: impl FnOnce(&mut Value), expected: bool) {
            let one = [json!(1)];
            let values = values(policy, Some(&one));
            let (mut after, _) = applied(&configuration(&[("a", None, "Ignore")]), &values);
            change(&mut after);
            assert_eq!(plan(&after, &values).foreign, expected);
        }
        check("Ignore", |_| {}, false);
        check("Ignore", |found| found["webhooks"][0]["rules"] = json!([2]), false);
        check(
            "Ignore",
            |found| found["webhooks"][0]["clientConfig"]["caBundle"] = "x".into(),
            true,
        );
        check("Ignore", |found| found["webhooks"][0]["failurePolicy"] = "Fail".into(), true);
        check("Ignore", |found| found["webhooks"][1]["rules"] = json!([2]), true);
        check("Ignore", |found| drop(found["webhooks"].as_array_mut().unwrap().pop()), true);
        check("Ignore", |found| found["metadata"]["annotations"] = json!({}), false);
        // As an upgrade of the chart leaves it.
        check("Fail", |found| found["webhooks"][0]["failurePolicy"] = "Ignore".into(), false);
    }

    /// An API server writes members in its own order.
    #[test]
    fn the_digest_is_one_of_values() {
        let one = json!({"name": POLICIES, "rules": [{"a": 1, "b": 2}]});
        let other = json!({"rules": [{"b": 2, "a": 1}], "name": POLICIES});
        assert_eq!(digest(&[one]), digest(&[other]));
    }

    #[test]
    fn what_is_not_ours_is_the_rest() {
        let found = configuration(&[("a", Some("ca"), "Fail"), (POLICIES, Some("ca"), "Fail")]);
        let mut expected = configuration(&[("a", None, "")])["webhooks"].clone();
        expected[0].as_object_mut().unwrap().shift_remove("failurePolicy");
        assert_eq!(plan(&found, &values("Ignore", None)).rest, expected);
    }

    #[test]
    fn the_last_error_is_written_and_taken_away() {
        let ignore = values("Ignore", Some(&[]));
        let told =
            Values { last_error: Some("2026-01-01T00:00:00Z"), ..values("Ignore", Some(&[])) };
        let (after, _) = applied(&configuration(&[("a", None, "Ignore")]), &told);
        assert_eq!(last_error(&after), Some("2026-01-01T00:00:00Z"));
        let (after, _) = applied(&after, &ignore);
        assert_eq!(last_error(&after), None);
    }
}

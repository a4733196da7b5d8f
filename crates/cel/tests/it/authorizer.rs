//! `authorizer`: an evaluation stops with its question, and goes on once there is an answer.
use seawall_cel::authz::{AUTHORIZER, Answers, Authorizer, RESOURCE_CHECK, ResourceCheck};
use seawall_cel::{Answer, Budget, Env, EvalError, Question, Subject, Type, Value};
use std::sync::Arc;

fn evaluate(text: &str, answers: Answers) -> Result<Value<'static>, EvalError> {
    let env = Env::kubernetes(36)
        .with_variable("authorizer", Type::Opaque(AUTHORIZER.into()))
        .with_variable("authorizer.requestResource", Type::Opaque(RESOURCE_CHECK.into()));
    let authorizer = Authorizer::new(Arc::new(answers));
    let mut resource = ResourceCheck::new(authorizer.clone(), "apps", "deployments");
    resource.namespace = "shop".to_owned();
    let variables = [
        ("authorizer", Value::opaque(authorizer)),
        ("authorizer.requestResource", Value::opaque(resource)),
    ];
    env.compile(text).expect(text).evaluate(&variables, &mut Budget::expression())
}

/// The question of `text`, and its value once each question has `answer`.
fn ask(text: &str, answer: &Answer) -> (Question, Value<'static>) {
    let mut answers = Answers::new();
    let mut first = None;
    loop {
        match evaluate(text, answers.clone()) {
            Ok(value) => return (first.expect("a question"), value),
            Err(EvalError::Pending(question)) => {
                first.get_or_insert(question.as_ref().clone());
                answers.insert(*question, answer.clone());
            }
            Err(error) => panic!("{text}: {error}"),
        }
    }
}

fn allowed() -> Answer {
    Answer { allowed: true, reason: "RBAC".to_owned(), error: None }
}

#[test]
fn a_check_asks_once() {
    let text = "authorizer.group('apps').resource('deployments').subresource('scale').namespace('ns').name('n')\
                .fieldSelector('a=b').labelSelector('c').check('update').allowed()";
    let (question, value) = ask(text, &allowed());
    assert_eq!(value.as_bool(), Some(true));
    let about = Subject::Resource {
        group: "apps".to_owned(),
        resource: "deployments".to_owned(),
        subresource: "scale".to_owned(),
        namespace: "ns".to_owned(),
        name: "n".to_owned(),
        field_selector: "a=b".to_owned(),
        label_selector: "c".to_owned(),
    };
    assert_eq!(question, Question { service_account: None, verb: "update".to_owned(), about });
}

#[test]
fn paths_accounts_and_the_requested_resource() {
    let (question, _) = ask(
        "authorizer.serviceAccount('ns', 'sa').path('/healthz').check('get').allowed()",
        &allowed(),
    );
    assert_eq!(question.service_account, Some(("ns".to_owned(), "sa".to_owned())));
    assert_eq!(question.about, Subject::Path("/healthz".to_owned()));
    let (question, _) =
        ask("authorizer.requestResource.name('x').check('delete').allowed()", &allowed());
    let Subject::Resource { group, namespace, name, .. } = question.about else {
        panic!("a resource");
    };
    assert_eq!((group.as_str(), namespace.as_str(), name.as_str()), ("apps", "shop", "x"));
}

#[test]
fn answers_are_read() {
    let failed =
        Answer { allowed: false, reason: String::new(), error: Some("timed out".to_owned()) };
    let check = "authorizer.path('/x').check('get')";
    let text = |part: &str, answer: &Answer| {
        let (_, value) = ask(&format!("{check}.{part}()"), answer);
        seawall_cel::Go(&value).to_string()
    };
    assert_eq!(text("reason", &allowed()), "RBAC");
    assert_eq!(text("errored", &allowed()), "false");
    assert_eq!(text("error", &allowed()), "");
    assert_eq!(text("allowed", &failed), "false");
    assert_eq!(text("errored", &failed), "true");
    assert_eq!(text("error", &failed), "timed out");
}

#[test]
fn no_question_without_need() {
    let pending = "authorizer.path('/x').check('get').allowed()";
    assert_eq!(
        evaluate(&format!("false && {pending}"), Answers::new())
            .ok()
            .and_then(|value| value.as_bool()),
        Some(false)
    );
    assert!(matches!(
        evaluate(&format!("{pending} || true"), Answers::new()),
        Err(EvalError::Pending(_))
    ));
    for (text, error) in [
        ("authorizer.path(' ').check('get').allowed()", "path must not be empty"),
        ("authorizer.group('').resource('').check('get').allowed()", "resource must not be empty"),
        (
            "authorizer.serviceAccount('ns', 'A').path('/x').check('get').allowed()",
            "Invalid service account name",
        ),
        (
            "authorizer.serviceAccount('N', 'a').path('/x').check('get').allowed()",
            "Invalid service account namespace",
        ),
    ] {
        assert_eq!(evaluate(text, Answers::new()).err(), Some(EvalError::new(error)), "{text}");
    }
}

//! What the hub tells and signs for cluster agents, by a client that speaks the wire itself.
use crate::world::{World, cluster};
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use seawall_model::admission::{Desired, PolicyAction};
use seawall_model::asset::AgentRole;
use seawall_uplink::{Enrolment, Identity, enrol};
use seawall_wire::v1;
use seawall_wire::v1::hub_client::HubClient;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

async fn enrolled(world: &World, role: AgentRole, name: &str) -> Identity {
    let token = world.enrolment("/org/").await;
    let cluster = cluster(name);
    let enrolment =
        Enrolment { hub: &world.base, token: &token, cluster: &cluster, role, name: "agent-0" };
    enrol(&enrolment).await.unwrap()
}

/// A channel to the agents' port with the identity's certificate.
pub(crate) async fn dial(identity: &Identity) -> HubClient<Channel> {
    try_dial(identity).await.unwrap()
}

async fn try_dial(identity: &Identity) -> Result<HubClient<Channel>, tonic::transport::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(identity.ca_pem.as_bytes()).unwrap()).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let (tls, hub) = (Arc::new(tls), identity.hub.clone());
    let connector = tower::service_fn(move |_: http::Uri| {
        let (tls, hub) = (tls.clone(), hub.clone());
        async move {
            let stream = tokio::net::TcpStream::connect(&hub).await?;
            let name = ServerName::try_from("localhost").unwrap();
            let stream = tokio_rustls::TlsConnector::from(tls).connect(name, stream).await?;
            Ok::<_, std::io::Error>(TokioIo::new(stream))
        }
    });
    let endpoint = Endpoint::from_static("http://hub");
    endpoint.connect_with_connector(connector).await.map(HubClient::new)
}

fn pem(certificate: &CertificateDer<'_>) -> String {
    use base64::Engine;
    let text = base64::engine::general_purpose::STANDARD.encode(certificate);
    format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
}

/// The policies of the next frame that tells any.
async fn told(frames: &mut tonic::Streaming<v1::FromHub>) -> Desired {
    let next = async {
        loop {
            let frame = frames.message().await.unwrap().expect("the stream is open").frame;
            if let Some(v1::from_hub::Frame::Desired(desired)) = frame {
                return serde_json::from_slice(&desired.config_json).unwrap();
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), next).await.expect("the hub tells in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_agents_are_told_what_is_assigned() {
    let world = World::start().await;
    let mut client = dial(&enrolled(&world, AgentRole::ClusterAgent, "prod").await).await;
    let (frames, outgoing) = mpsc::channel(4);
    let hello = v1::Hello {
        version: "0.1.0".to_owned(),
        role: v1::Role::ClusterAgent.into(),
        cluster: Some((&cluster("prod")).into()),
        ..v1::Hello::default()
    };
    let hello = v1::from_agent::Frame::Hello(hello);
    frames.send(v1::FromAgent { frame: Some(hello) }).await.unwrap();
    let mut answers = client.connect(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
    assert_eq!(told(&mut answers).await, Desired::default(), "nothing is assigned");

    let body = json!({"target": "control:SW-C-0001", "scope": "/org/", "action": "deny",
        "excluded_namespaces": ["infra-*"]});
    let assigned = world.post("/assignments", body).await.expect(201);
    let policies = told(&mut answers).await.policies;
    let policy = policies.first().expect("the control's policy");
    assert_eq!((policy.control.as_str(), policy.action), ("SW-C-0001", PolicyAction::Deny));
    assert_eq!(policy.narrowing.excluded_namespaces, ["infra-*"]);
    assert_eq!(assigned["id"], policy.assignment.to_string());
}

/// A parameter that a control does not have made agents leave the whole policy out.
#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_those_of_the_controls() {
    let world = World::start().await;
    let controls = world.items("/controls?limit=500").await;
    let with = controls
        .iter()
        .find(|control| control["text"].as_str().unwrap().contains("windowsExempt: {type"))
        .unwrap();
    let id = with["id"].as_str().unwrap();
    let framework = with["frameworks"][0].as_str().unwrap().split('@').next().unwrap();
    let framework = format!("framework:{framework}");
    let control = format!("control:{id}");
    let body = |target: &str, params: serde_json::Value| json!({"target": target, "scope": "/org/", "action": "warn", "params": params});
    let mistakes = [
        (control.as_str(), json!({"windowsExempt": "no"}), "/params/windowsExempt", "a boolean"),
        (&control, json!({"a/b": 1}), "/params/a~1b", "windowsExempt"),
        (&framework, json!({"windowsExempt": 1}), "/params/windowsExempt", "a boolean"),
        (&framework, json!({"unheardOf": true}), "/params/unheardOf", "windowsExempt"),
        ("control:SW-C-0001", json!({"windowsExempt": true}), "/params/windowsExempt", "no param"),
    ];
    for (target, params, pointer, says) in mistakes {
        let refused = world.post("/assignments", body(target, params)).await.expect(400);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
        assert!(refused["detail"].as_str().unwrap().contains(says), "{refused}");
    }
    let made = body(&framework, json!({"windowsExempt": false}));
    let made = world.post("/assignments", made).await.expect(201);
    let path = world.url(&format!("/assignments/{}", made["id"].as_str().unwrap()));
    let put = world.client.put(path).bearer_auth(&world.owner).header("if-match", "*");
    let refused = put.json(&body(&framework, json!({"windowsExempt": []})));
    let refused = World::answer(refused).await.expect(400);
    assert_eq!(refused["errors"][0]["pointer"], "/params/windowsExempt");

    let mut client = dial(&enrolled(&world, AgentRole::ClusterAgent, "prod").await).await;
    let (frames, outgoing) = mpsc::channel(4);
    let hello = v1::Hello { cluster: Some((&cluster("prod")).into()), ..v1::Hello::default() };
    let hello = v1::from_agent::Frame::Hello(hello);
    frames.send(v1::FromAgent { frame: Some(hello) }).await.unwrap();
    let mut answers = client.connect(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
    let policies = told(&mut answers).await.policies;
    assert!(policies.len() > 1, "{policies:?}");
    for policy in policies {
        let names: Vec<&String> = policy.params.keys().collect();
        let own = if policy.control == id { vec!["windowsExempt"] } else { Vec::new() };
        assert_eq!(names, own, "{}", policy.control);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_to_be_told_is_not_assigned() {
    let world = World::start().await;
    let team = world.scope("/org/", "team").await;
    let body = |scope: &str, field: &str, value: serde_json::Value| {
        let mut body = json!({"target": "control:SW-C-0001", "scope": scope, "action": "warn"});
        body[field] = value;
        body
    };
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("p{n}"), json!(n))).collect();
    let mistakes = [
        ("params", json!({"allowed": "x".repeat(5_000)})),
        ("params", many.into()),
        ("namespaces", json!(vec!["n".repeat(63); 150])),
        ("kinds", json!(vec!["k"; 201])),
    ];
    for (field, value) in mistakes {
        let refused = world.post("/assignments", body("/org/", field, value)).await.expect(400);
        assert_eq!(refused["errors"][0]["pointer"], format!("/{field}"), "{refused}");
    }
    // Each alone is fine. They come together below, whether made there or above.
    let large = |scope: &str| {
        let label = json!(["l".repeat(63), "v".repeat(40)]);
        let mut body = body(scope, "labels", json!(vec![label; 38]));
        for list in ["namespaces", "excluded_namespaces", "kinds"] {
            body[list] = json!(vec!["n".repeat(63); 120]);
        }
        body
    };
    let mut made = 0;
    let refused = loop {
        let answer = world.post("/assignments", large(&team)).await;
        match answer.status.as_u16() {
            201 => made += 1,
            _ => break answer.expect(400),
        }
        world.clock.advance(1_000);
    };
    assert_eq!(refused["errors"][0]["pointer"], "/target", "{refused}");
    assert!((40..=120).contains(&made), "{made}");
    let above = world.post("/assignments", large("/org/")).await.expect(400);
    assert!(above["detail"].as_str().unwrap().contains("/org/team/"), "{above}");
    let other = world.scope("/org/", "other").await;
    world.post("/assignments", large(&other)).await.expect(201);
    // One that is there may be made smaller, and not larger than fits.
    let first = world.items("/assignments?limit=1").await.remove(0);
    let path = world.url(&format!("/assignments/{}", first["id"].as_str().unwrap()));
    let put = world.client.put(path).bearer_auth(&world.owner);
    let put = put.header("if-match", format!("\"{}\"", first["revision"]));
    let same = large(first["scope"].as_str().unwrap());
    World::answer(put.json(&same)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_speaks_for_its_own_cluster_alone() {
    let world = World::start().await;
    let mut client = dial(&enrolled(&world, AgentRole::ClusterAgent, "prod").await).await;
    enrolled(&world, AgentRole::ClusterAgent, "other").await;
    for (uid, code) in [("uid-other", Code::PermissionDenied), ("", Code::PermissionDenied)] {
        let named = v1::Cluster { uid: uid.to_owned(), ..v1::Cluster::default() };
        let trust = v1::Trust { issuer: "https://issuer".to_owned(), ..v1::Trust::default() };
        let hello = v1::Hello { cluster: Some(named), trust: Some(trust), ..v1::Hello::default() };
        let hello = v1::FromAgent { frame: Some(v1::from_agent::Frame::Hello(hello)) };
        let (frames, outgoing) = mpsc::channel(1);
        frames.send(hello).await.unwrap();
        let mut answers = client.connect(ReceiverStream::new(outgoing)).await.unwrap().into_inner();
        assert_eq!(answers.message().await.unwrap_err().code(), code, "{uid}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_of_a_cluster_are_signed_for_its_agent_alone() {
    let world = World::start().await;
    let identity = enrolled(&world, AgentRole::ClusterAgent, "prod").await;
    let mut agent = dial(&identity).await;
    let mut sensor = dial(&enrolled(&world, AgentRole::Sensor, "other").await).await;
    let key = KeyPair::generate().unwrap();
    let csr_der = CertificateParams::default().serialize_request(&key).unwrap().der().to_vec();
    let request = |purpose: v1::SignPurpose, names: &[&str]| v1::SignRequest {
        csr_der: csr_der.clone(),
        purpose: purpose.into(),
        names: names.iter().map(|&name| name.to_owned()).collect(),
    };
    let (webhook, audit) = (v1::SignPurpose::Webhook, v1::SignPurpose::Audit);
    let service = "seawall-agent.seawall.svc";

    let signed = agent.sign(request(webhook, &[service])).await.unwrap().into_inner();
    let (_, leaf) = x509_parser::parse_x509_certificate(&signed.certificate_der).unwrap();
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.server_auth && !usage.client_auth);
    let names = &leaf.subject_alternative_name().unwrap().unwrap().value.general_names;
    assert_eq!(names[..], [x509_parser::extensions::GeneralName::DNSName(service)]);
    assert_eq!(leaf.subject().to_string(), "CN=seawall-webhook:uid-prod");
    let (_, ca) = x509_parser::parse_x509_certificate(&signed.ca_der[0]).unwrap();
    leaf.verify_signature(Some(ca.public_key())).unwrap();
    let bundle = CertificateDer::from_pem_slice(signed.ca_pem.as_bytes()).unwrap();
    assert_eq!(bundle.as_ref(), signed.ca_der[0], "as `caBundle`");
    let own = CertificateDer::from_pem_slice(identity.ca_pem.as_bytes()).unwrap();
    let (_, own) = x509_parser::parse_x509_certificate(&own).unwrap();
    assert!(leaf.verify_signature(Some(own.public_key())).is_err(), "agents would take it as hub");
    assert_ne!(own.subject(), ca.subject());

    let signed = agent.sign(request(audit, &[])).await.unwrap().into_inner();
    let (_, leaf) = x509_parser::parse_x509_certificate(&signed.certificate_der).unwrap();
    let usage = leaf.extended_key_usage().unwrap().unwrap().value;
    assert!(usage.client_auth && !usage.server_auth);
    assert_eq!(leaf.subject().to_string(), "CN=seawall-audit:uid-prod");
    leaf.verify_signature(Some(ca.public_key())).unwrap();
    // An API server is no agent. TLS already ends there: the service would say "unauthenticated".
    let certificate = CertificateDer::from(signed.certificate_der);
    let (certificate_pem, key_pem) = (pem(&certificate), key.serialize_pem());
    let refused = match try_dial(&Identity { certificate_pem, key_pem, ..identity }).await {
        Ok(mut client) => client.renew(v1::RenewRequest::default()).await.unwrap_err().code(),
        Err(_) => Code::Unavailable,
    };
    assert_ne!(refused, Code::Unauthenticated);

    let too_many = vec![service; 9];
    for names in [&["hub.example.org"][..], &["10.0.0.1"], &["*.seawall.svc"], &[], &too_many] {
        let foreign = agent.sign(request(webhook, names)).await.unwrap_err();
        assert_eq!(foreign.code(), Code::InvalidArgument, "{names:?}");
    }
    let forms = ["a.b.svc", "a.b.svc.cluster.local"];
    agent.sign(request(webhook, &forms)).await.unwrap();
    let of_sensor = sensor.sign(request(webhook, &[service])).await.unwrap_err();
    assert_eq!(of_sensor.code(), Code::PermissionDenied);
    assert_eq!(world.items("/audit?filter=action:agent.sign").await.len(), 3);

    // The clock stands still: of 30 at once nine were asked for. One more comes every two seconds.
    let next = async |agent: &mut HubClient<Channel>| agent.sign(request(webhook, &[])).await;
    for _ in 0..22 {
        assert_eq!(next(&mut agent).await.unwrap_err().code(), Code::InvalidArgument);
    }
    let refused = next(&mut agent).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(
        refused.message().contains("30 certificates signed at once, then one every 2 s"),
        "{refused:?}"
    );
    world.clock.advance(1_999);
    assert_eq!(next(&mut agent).await.unwrap_err().code(), Code::ResourceExhausted);
    world.clock.advance(1);
    agent.sign(request(webhook, &[service])).await.unwrap();
}

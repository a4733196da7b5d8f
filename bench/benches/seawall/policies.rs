//! Users' policies in CEL on an object: what admission pays for fifty of them.
use criterion::Criterion;
use seawall_bench::objects::selection;
use seawall_bench::reviews::reviews;
use seawall_cel::authz::Answers;
use seawall_model::admission::PolicyAction;
use seawall_policy::vap::{Document, Lookup, Params, Policies, Review};
use seawall_posture::export::export;
use serde_json::Value;
use std::sync::Arc;

const POLICIES: usize = 50;

/// A cluster of which no namespace, params or rights are asked for.
struct Nothing;

impl Lookup for Nothing {
    fn namespace(&self, _: &str) -> Option<&Value> {
        None
    }

    fn params(&self, _: &str, _: &str) -> Params<'_> {
        Params::Unknown
    }

    fn answers(&self) -> Arc<Answers> {
        Arc::default()
    }
}

pub(crate) fn measure(criterion: &mut Criterion) {
    let (exported, _) = export(&selection(), PolicyAction::Audit);
    let of_pods = |own: &&seawall_posture::export::Exported| {
        own.policy.to_string().contains("\"deployments\"")
    };
    let chosen = exported.iter().filter(of_pods).take(POLICIES);
    let documents: Vec<Document> =
        chosen.flat_map(|own| [own.policy.clone().into(), own.binding.clone().into()]).collect();
    let (policies, problems) = Policies::load(&documents, 36);
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!(policies.names().count(), POLICIES);
    let reviews: Vec<Review> = reviews(20)
        .iter()
        .map(|bytes| {
            let review: Value = serde_json::from_slice(bytes).expect("JSON");
            Review::of(review["request"].as_object().expect("a request")).expect("a review")
        })
        .collect();
    let mut next = reviews.iter().cycle();
    criterion.benchmark_group("policies").bench_function(
        format!("judge an object of 4 KB by {POLICIES} policies in CEL"),
        |bencher| {
            bencher.iter(|| {
                let review = next.next().expect("a circle has no end");
                policies.review(review, &Nothing)
            });
        },
    );
}

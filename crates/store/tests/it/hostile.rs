//! What an agent that is broken or hostile sends is stored, bounded, and stays readable.
use crate::bench::*;
use seawall_model::alert::Alert;
use seawall_model::asset::Asset;
use seawall_model::finding::{Evidence, Finding, State};
use seawall_model::package::Target;
use seawall_model::record::Record;
use seawall_store::*;
use serde_json::{Value, json};

pub(crate) async fn hostile_text_is_stored(bench: &Bench) {
    let agent = bench.agent("prod\u{0}", "node\u{0}1").await;
    let nul = "a\u{0}b";
    let long = "é".repeat(20_000);
    let mut odd = firing(nul, Some(nul), &long, i64::MAX);
    odd.process[0].exe.clone_from(&long);
    odd.lost_nearby = u64::MAX;
    odd.output = "\u{1f}' OR 1=1 -- \"; DROP TABLE alerts".to_owned();
    let mut record = assessment(
        nul,
        &long,
        &[("SW-C-1", State::Unhealthy), ("SW-C-1", State::Unknown), (nul, State::Healthy)],
        i64::MIN,
    );
    let deep = (0..120).fold(Value::from(1), |inner, _| json!([inner]));
    record.findings[0].evidence.push(Evidence { path: nul.to_owned(), value: deep });
    record.findings[0].evidence.push(Evidence { path: String::new(), value: json!({nul: nul}) });
    record.labels.push((nul.to_owned(), "\u{1f}".to_owned()));
    let mut held = package(nul, &long);
    held.purl.clone_from(&long);
    let image = image(nul, nul);
    let records = vec![
        fired(odd.clone()),
        fired(odd.clone()),
        Record::Assessment(Box::new(record)),
        inventory(Target::Image { image: image.clone() }, vec![held.clone(), held]),
        inventory(Target::Node { name: nul.to_owned() }, Vec::new()),
        inventory(Target::Directory { path: long.clone() }, Vec::new()),
        running(vec![container(nul, &image, nul), container(&long, &image, &long)]),
        Record::Sync { since: i64::MIN },
    ];
    let changed = bench.send(&agent, records.clone()).await;
    assert_eq!(changed.alerts[0].count, 2);
    assert_eq!(changed.findings.len(), 2, "two verdicts of one control are both kept");
    bench.send(&agent, records).await;

    let alerts: Vec<Alert> = bench.all().await;
    assert_eq!((alerts.len(), alerts[0].count), (1, 4), "it joins itself");
    assert_eq!(alerts[0].firing.detection, "a\u{fffd}b");
    assert_eq!(alerts[0].firing.process[0].exe, long, "the payload is whole");
    assert_eq!(
        bench
            .store
            .count::<Alert>(&Visible::system(), &format!("exe:{}", "é".repeat(600)))
            .await
            .unwrap(),
        1
    );
    assert_eq!(bench.store.count::<Alert>(&Visible::system(), "\"' or 1=1 --\"").await.unwrap(), 1);
    assert_eq!(
        bench.store.count::<Alert>(&Visible::system(), "namespace:\"a\u{0}b\"").await.unwrap(),
        1
    );
    assert_eq!(bench.all::<Finding>().await.len(), 2);
    assert_eq!(bench.all::<Asset>().await.len(), 2);
    assert_eq!(bench.all::<Image>().await.len(), 1);
    assert_eq!(bench.all::<PackageVersion>().await.len(), 1);
    let images: Vec<Image> = bench.all().await;
    assert_eq!(images[0].running_count, 2);
}

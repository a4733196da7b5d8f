//! Images, where they run, and packages across the estate.
use crate::bench::*;
use seawall_model::image::ImageRef;
use seawall_model::package::Target;
use seawall_model::record::Record;
use seawall_store::*;

pub(crate) async fn images_run_somewhere(bench: &Bench) {
    let (one, two) = (bench.agent("prod", "node-1").await, bench.agent("prod", "node-2").await);
    let shop = image("reg/shop:1", "aa");
    // Running before anything is known of the content.
    let changed = bench.send(&one, vec![running(vec![container("c1", &shop, "shop")])]).await;
    assert_eq!(changed.images.len(), 1);
    let listed: Vec<Image> = bench.seen(&Visible::system(), "running:true").await;
    assert_eq!((listed.len(), listed[0].package_count, listed[0].running_count), (1, None, 1));
    assert_eq!(
        (listed[0].running[0].node.as_str(), listed[0].running[0].cluster.as_str()),
        ("node-1", "prod")
    );
    let same = bench.send(&one, vec![running(vec![container("c1", &shop, "shop")])]).await;
    assert!(same.images.is_empty(), "nothing changed");

    // The same bytes under another name are another image; the same name learns its digests.
    let twin = image("mirror/shop:1", "aa");
    bench
        .send(
            &two,
            vec![running(vec![container("c2", &twin, "bank"), container("c3", &shop, "bank")])],
        )
        .await;
    let full = ImageRef { config_digest: Some("sha256:cc".to_owned()), ..shop.clone() };
    bench
        .send(
            &one,
            vec![inventory(Target::Image { image: full }, vec![package("requests", "2.0")])],
        )
        .await;
    let config_only =
        ImageRef { digest: None, config_digest: Some("sha256:cc".to_owned()), ..shop.clone() };
    bench.send(&one, vec![running(vec![container("c1", &config_only, "shop")])]).await;
    let all: Vec<Image> = bench.all().await;
    let names: Vec<(&str, u64)> =
        all.iter().map(|image| (image.name.as_str(), image.running_count)).collect();
    assert_eq!(names, [("mirror/shop:1", 1), ("reg/shop:1", 2)]);
    assert_eq!(all[1].config_digest.as_deref(), Some("sha256:cc"));
    // A new build under the same tag is another image.
    let rebuilt = image("reg/shop:1", "bb");
    bench.send(&one, vec![running(vec![container("c4", &rebuilt, "shop")])]).await;
    assert_eq!(bench.seen::<Image>(&Visible::system(), "name:reg/shop*").await.len(), 2);

    // A narrowed grant sees images and places of its namespaces.
    let bank = grant(&one.scope, Some(&["bank"]));
    let seen: Vec<Image> = bench.seen(&bank, "").await;
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|image| image.running_count == 1
        && image.running[0].container.namespace.as_deref() == Some("bank")));
    let shop = grant(&one.scope, Some(&["shop"]));
    let seen: Vec<Image> = bench.seen(&shop, "").await;
    assert_eq!(
        seen.iter().map(|image| image.digest.as_deref().unwrap()).collect::<Vec<_>>(),
        ["sha256:bb"]
    );

    bench.send(&one, vec![running(Vec::new())]).await;
    let stopped: Vec<Image> = bench.seen(&Visible::system(), "running:false").await;
    assert_eq!(
        stopped.iter().map(|image| image.digest.as_deref().unwrap()).collect::<Vec<_>>(),
        ["sha256:bb"]
    );
    bench.store.revoke_agent(&Visible::system(), two.id).await.unwrap();
    assert_eq!(bench.store.count::<Image>(&Visible::system(), "running:true").await.unwrap(), 0);
}

pub(crate) async fn packages_across_the_estate(bench: &Bench) {
    let (one, two) = (bench.agent("prod", "node-1").await, bench.agent("test", "node-2").await);
    let holds = |name: &str, digest: &str, packages: &[(&str, &str)]| -> Record {
        let packages = packages.iter().map(|(name, version)| package(name, version)).collect();
        inventory(Target::Image { image: image(name, digest) }, packages)
    };
    let node = |name: &str, packages: &[(&str, &str)]| {
        let packages = packages.iter().map(|(name, version)| package(name, version)).collect();
        inventory(Target::Node { name: name.to_owned() }, packages)
    };
    let shop = image("reg/shop:1", "aa");
    bench.send(&one, vec![holds("reg/shop:1", "aa", &[("requests", "2.0"), ("six", "1.0")])]).await;
    bench.send(&one, vec![running(vec![container("c", &shop, "shop")])]).await;
    bench.send(&one, vec![node("node-1", &[("requests", "2.0")])]).await;
    bench
        .send(&two, vec![holds("reg/shop:1", "aa", &[("requests", "2.0"), ("requests", "2.1")])])
        .await;
    let seen = async |visible: &Visible| -> Vec<(String, u64, u64)> {
        let packages: Vec<PackageVersion> = bench.seen(visible, "").await;
        let row = |package: PackageVersion| {
            (format!("{} {}", package.name, package.version), package.images, package.nodes)
        };
        packages.into_iter().map(row).collect()
    };
    let row = |name: &str, images, nodes| (name.to_owned(), images, nodes);
    assert_eq!(
        seen(&Visible::system()).await,
        [row("requests 2.0", 2, 1), row("requests 2.1", 1, 0), row("six 1.0", 1, 0)]
    );
    assert_eq!(
        seen(&grant(&two.scope, None)).await,
        [row("requests 2.0", 1, 0), row("requests 2.1", 1, 0)]
    );
    assert_eq!(
        seen(&grant(&one.scope, Some(&["shop"]))).await,
        [row("requests 2.0", 1, 0), row("six 1.0", 1, 0)]
    );
    assert_eq!(seen(&grant(&one.scope, Some(&["bank"]))).await, []);
    // A new inventory replaces the old one.
    bench.send(&one, vec![holds("reg/shop:1", "aa", &[("six", "1.1")])]).await;
    assert_eq!(
        seen(&grant(&one.scope, None)).await,
        [row("requests 2.0", 0, 1), row("six 1.1", 1, 0)]
    );
}

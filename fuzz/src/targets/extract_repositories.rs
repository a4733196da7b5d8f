//! The small files that tell where OS packages come from, and the list of images without an rpm database.
use crate::Target;

pub(crate) const TARGET: Target =
    Target { name: "extract-repositories", run, seeds, rounds: 10_000 };

fn run(bytes: &[u8]) {
    let ids = [
        "apk-repositories",
        "content-sets",
        "ubuntu-pro-sources",
        "ubuntu-pro-status",
        "rpm-manifest",
    ];
    ids.into_iter().for_each(|id| super::extract(id, bytes));
}

fn seeds() -> Vec<Vec<u8>> {
    super::texts([
        "https://mirror.example/alpine/v3.18/main\n@edge https://mirror.example/alpine/edge/main\nv3 https://m.example/a main community\n",
        "{\"metadata\":{},\"content_sets\":[\"rhel-9-for-x86_64-baseos-rpms\"],\"image_contents\":[]}",
        "Enabled: no\nURIs: https://esm.ubuntu.com/apps/ubuntu\n\ndeb [arch=amd64] https://bearer:x@esm.ubuntu.com/infra/ubuntu jammy main\n",
        "{\"attached\": true, \"services\": [{\"name\": \"esm-apps\", \"status\": \"enabled\"}, {\"name\": \"ros\"}]}",
        "openssl\t1.1.1k-15.cm2\t1\t1\tMicrosoft Corporation\t(none)\t1\tx86_64\t0\topenssl-1.1.1k-15.cm2.src.rpm\n",
    ])
}

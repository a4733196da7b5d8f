import type { Counts, Image, ImagePackage } from "../../src/api/types";
import { PROD } from "./estate";
import { FLAWED_IMAGE, FLAWS } from "./findings";
import { containerId, digest, uuid } from "./random";

const DAY = 86_400_000;
const NONE: Counts = { critical: 0, high: 0, medium: 0, low: 0, info: 0, unknown: 0 };

function image(now: number, name: string, counts: Counts | null, running: number): Image {
  const workload = name.split("/").at(-1)?.split(":")[0] ?? name;
  const own = { name, digest: digest(), index_digest: digest(), config_digest: digest() };
  return {
    ...own, id: uuid(), scope: PROD.scope, revision: 1, running_count: running, platform: "linux/amd64",
    distro: counts === null ? null : { id: "debian", version: "12", name: "Debian GNU/Linux 12 (bookworm)" },
    layers: counts === null ? [] : [
      { diff_id: digest(), created_by: "/bin/sh -c #(nop) ADD file:5d1c9e in /", size: 29_150_000, base: true },
      { diff_id: digest(), created_by: "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates imagemagick", size: 18_400_000, base: true },
      { diff_id: digest(), created_by: "COPY requirements.txt /app/", size: 1_420, base: false },
      { diff_id: digest(), created_by: "RUN pip install --no-cache-dir -r /app/requirements.txt", size: 52_300_000, base: false },
      { diff_id: digest(), created_by: null, size: null, base: false },
    ],
    package_count: counts === null ? null : 148, counts, fixable: counts === null ? null : counts.critical + counts.high,
    running: Array.from({ length: running }, (_, index) => ({
      id: containerId(), name: workload, image: own, namespace: "shop", pod: `${workload}-7f9c6d-${index}x2kq`, pod_uid: uuid(),
      workload: `Deployment/${workload}`, cluster: PROD.name, node: `prod-1-node-${index % 2 === 0 ? "a" : "b"}`,
    })),
    first: now - 20 * DAY, last: now - 40_000, scanned: counts === null ? null : now - 3_600_000, coverage_problems: [],
  };
}

export function images(now: number): Image[] {
  const web = image(now, FLAWED_IMAGE, { critical: 2, high: 2, medium: 2, low: 1, info: 0, unknown: 1 }, 3);
  web.coverage_problems = [
    { kind: "gap", code: "feed-missing", message: "No feed covers Debian 12: 96 packages were read but not judged.", help: "Load a feed with `seawall db update`, then the image is matched again.", file: null, line: null, column: null, item: "Debian 12" },
    { kind: "note", code: "binary-stripped", message: "A Go binary has no build information; its modules are unknown.", help: null, file: "usr/local/bin/healthcheck", line: null, column: null, item: null },
  ];
  return [
    web,
    image(now, "registry.example/shop/payments:4.0.1", { ...NONE, high: 1, medium: 7, low: 12 }, 2),
    image(now, "registry.example/data/queue:3.13", NONE, 1),
    image(now, "registry.example/monitoring/very-long-repository-name/with-many-segments/node-exporter-distroless:v1.8.2-debug", { ...NONE, medium: 3, unknown: 4 }, 2),
    image(now, "registry.example/tools/debug-shell:latest", null, 1),
    image(now, "registry.example/shop/web:1.7.9", { ...NONE, critical: 5, high: 21, medium: 64, low: 130, info: 8 }, 0),
  ];
}

export function packagesOf(of: Image): ImagePackage[] {
  if (of.counts === null) return [];
  const flawed = of.name === FLAWED_IMAGE;
  const names = [...new Map(FLAWS.map((flaw) => [flaw.package, flaw])).values()];
  return names.map((flaw) => {
    const counts = { ...NONE };
    if (flawed) for (const each of FLAWS) if (each.package === flaw.package) counts[each.severity] += 1;
    const pypi = flaw.ecosystem === "pypi";
    return {
      ecosystem: pypi ? "pypi" : flaw.ecosystem === "golang" ? "go" : "debian", name: flaw.package, version: flaw.version,
      purl: `pkg:${flaw.ecosystem}/${flaw.package}@${flaw.version}`, arch: pypi ? null : "amd64", source: null,
      locations: [pypi ? `/usr/local/lib/python3.12/site-packages/${flaw.package}` : "/var/lib/dpkg/status"], owner: null,
      layer: pypi ? 3 : 0, third_party: false, module: null, counts,
    };
  });
}

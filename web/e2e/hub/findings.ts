import type { ControlDetail, Exemption, Finding, PatchOperation, Recommendation, Severity, VulnDetail } from "../../src/api/types";
import { PROD, WORKLOADS } from "./estate";
import { digest, uuid } from "./random";

const DAY = 86_400_000;

interface Control {
  id: string;
  title: string;
  severity: Severity;
  group: string;
  description: string;
  remediation: string;
  path: string;
  value: unknown;
  fix: PatchOperation[];
  affected: number;
}

const POD = "/spec/template/spec/containers/0";

export const CONTROLS: readonly Control[] = [
  {
    id: "SW-C-0001", title: "Privileged container", severity: "critical", group: "access", affected: 2,
    description: "A privileged container has every capability and every device of its node: whoever is in it owns the node and, with it, every pod there.",
    remediation: "Remove `privileged`; grant the one capability or device that is needed.",
    path: `${POD}/securityContext/privileged`, value: true,
    fix: [{ op: "test", path: `${POD}/securityContext/privileged`, value: true }, { op: "replace", path: `${POD}/securityContext/privileged`, value: false }],
  },
  {
    id: "SW-C-0002", title: "Host path mounted", severity: "high", group: "access", affected: 4,
    description: "A `hostPath` volume reaches files of the node from inside the container.",
    remediation: "Use an `emptyDir`, a claim or a CSI volume.", path: "/spec/template/spec/volumes/0/hostPath", value: { path: "/var/run", type: "" }, fix: [],
  },
  {
    id: "SW-C-0003", title: "Container may gain privileges", severity: "medium", group: "access", affected: 11,
    description: "Without `allowPrivilegeEscalation: false` a setuid binary in the image gives root back to an attacker.",
    remediation: "Set `allowPrivilegeEscalation` to false.", path: `${POD}/securityContext/allowPrivilegeEscalation`, value: null,
    fix: [{ op: "add", path: `${POD}/securityContext/allowPrivilegeEscalation`, value: false }],
  },
  {
    id: "SW-C-0004", title: "Container without limits", severity: "low", group: "ddos", affected: 6,
    description: "One container without limits can starve every other pod of its node.",
    remediation: "Set memory and CPU limits from what the workload uses.", path: `${POD}/resources/limits`, value: null,
    fix: [{ op: "add", path: `${POD}/resources/limits`, value: { cpu: "500m", memory: "256Mi" } }],
  },
];

function controlFinding(control: Control, [namespace, kind, name]: readonly [string, string, string], now: number): Finding {
  const detail: ControlDetail = {
    kind: "control", control: control.id, title: control.title, severity: control.severity, state: "unhealthy", reason: null,
    resource: { apiVersion: kind === "CronJob" ? "batch/v1" : "apps/v1", kind, namespace, name, uid: uuid() }, source: null,
    message: `${control.title} in container \`${name}\``, frameworks: ["pss-baseline@1.36", "cis-k8s@1.12"],
    evidence: [{ path: control.path, value: control.value }], fix: control.fix, exemption: null, engine: "cel",
  };
  return {
    id: uuid(), scope: PROD.scope, kind: "control", key: `${control.id}/${name}`, rule: control.id, title: control.title,
    severity: control.severity, state: "unhealthy", reason: null, cluster: PROD.name, namespace, resource: `${kind}/${name}`,
    resource_key: detail.resource.uid ?? "", package: null, fix_available: control.fix.length > 0, kev: false, epss: null,
    first: now - 9 * DAY, last: now - 60_000, revision: 1, detail,
  };
}

interface Flaw {
  id: string;
  title: string;
  severity: Severity;
  package: string;
  version: string;
  fixed: string | null;
  ecosystem: "pypi" | "deb/debian" | "golang";
  score: number;
  kev?: boolean;
}

export const FLAWS: readonly Flaw[] = [
  { id: "CVE-2019-19844", title: "Django: account takeover by password reset with crafted addresses", severity: "critical", package: "django", version: "2.2.0", fixed: "2.2.9", ecosystem: "pypi", score: 9.8 },
  { id: "CVE-2020-1747", title: "PyYAML: arbitrary code by full_load of untrusted input", severity: "critical", package: "pyyaml", version: "5.1", fixed: "5.3.1", ecosystem: "pypi", score: 9.8, kev: true },
  { id: "CVE-2021-33203", title: "Django: directory traversal through admindocs", severity: "medium", package: "django", version: "2.2.0", fixed: "2.2.24", ecosystem: "pypi", score: 4.9 },
  { id: "CVE-2023-32681", title: "Requests: Proxy-Authorization header leaks to the destination", severity: "medium", package: "requests", version: "2.20.0", fixed: "2.31.0", ecosystem: "pypi", score: 6.1 },
  { id: "CVE-2024-2961", title: "glibc: out-of-bounds write in iconv for ISO-2022-CN-EXT", severity: "high", package: "libc6", version: "2.36-9+deb12u3", fixed: "2.36-9+deb12u6", ecosystem: "deb/debian", score: 8.8 },
  { id: "CVE-2023-45288", title: "net/http: unlimited CONTINUATION frames", severity: "high", package: "golang.org/x/net", version: "0.17.0", fixed: "0.23.0", ecosystem: "golang", score: 7.5 },
  { id: "CVE-2011-3374", title: "apt: apt-key does not check the keyring", severity: "low", package: "apt", version: "2.6.1", fixed: null, ecosystem: "deb/debian", score: 3.7 },
  { id: "GHSA-h5c8-rqwp-cp95", title: "Jinja2: xmlattr filter allows keys with spaces", severity: "unknown", package: "jinja2", version: "3.1.2", fixed: "3.1.3", ecosystem: "pypi", score: 0 },
];

export function flawFinding(flaw: Flaw, image: string, now: number): Finding {
  const purl = `pkg:${flaw.ecosystem}/${flaw.package}@${flaw.version}`;
  const pypi = flaw.ecosystem === "pypi";
  const detail: VulnDetail = {
    kind: "vulnerability", id: flaw.id, aliases: pypi ? ["PYSEC-2019-16"] : [], state: "unhealthy", title: flaw.title,
    package: {
      purl, name: flaw.package, version: flaw.version, origin: pypi ? null : "source",
      locations: [pypi ? `/usr/local/lib/python3.12/site-packages/${flaw.package}-${flaw.version}.dist-info/METADATA` : "/var/lib/dpkg/status"],
      owner: null, layer: { diff_id: digest(), index: pypi ? 4 : 0, base: !pypi },
    },
    fix: { status: flaw.fixed === null ? "will_not_fix" : "available", versions: flaw.fixed === null ? [] : [{ version: flaw.fixed, channel: null }] },
    disclosed_by: "github-advisories", fixed_by: flaw.fixed === null ? null : "github-advisories",
    severity: { level: flaw.severity, source: flaw.score > 0 ? "nvd" : null, score: flaw.score > 0 ? flaw.score : null, vector: flaw.score > 0 ? "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" : null },
    epss: flaw.score > 7 ? { score: 0.431, percentile: 0.97, as_of: now - DAY } : null, kev: flaw.kev === true ? now - 400 * DAY : null,
    match: {
      feed: "osv", record: flaw.id, segment: pypi ? "PyPI" : "Debian 12", rule: "range", scheme: pypi ? "pep440" : "dpkg",
      compared: [
        { installed: flaw.version, order: ">", bound: "0", kind: "introduced" },
        ...(flaw.fixed === null ? [] : [{ installed: flaw.version, order: "<", bound: flaw.fixed, kind: "fixed" }]),
      ],
      qualifiers: [],
    },
    references: [], exemption: null,
  };
  return {
    id: uuid(), scope: PROD.scope, kind: "vulnerability", key: `${image}/${flaw.id}`, rule: flaw.id, title: flaw.title,
    severity: flaw.severity, state: "unhealthy", reason: null, cluster: null, namespace: null, resource: image, resource_key: image,
    package: purl, fix_available: flaw.fixed !== null, kev: flaw.kev === true, epss: detail.epss?.score ?? null,
    first: now - 20 * DAY, last: now - 3_600_000, revision: 1, detail,
  };
}

export const FLAWED_IMAGE = "registry.example/shop/web:1.8.2";

export function findings(now: number): Finding[] {
  const controls = CONTROLS.flatMap((control) =>
    WORKLOADS.slice(0, control.affected).map((workload) => controlFinding(control, workload, now)),
  );
  return [...controls, ...FLAWS.map((flaw) => flawFinding(flaw, FLAWED_IMAGE, now))];
}

export function recommendations(now: number): Recommendation[] {
  const base = { scope: PROD.scope, first: now - 9 * DAY, last: now - 3 * 60_000, revision: 3, exempt: 0, unknown: 0 };
  const controls = CONTROLS.map((control, index): Recommendation => ({
    ...base, id: uuid(), rule: control.id, kind: "control", title: control.title, severity: control.severity,
    status: (["regressed", "assigned", "open", "open"] as const)[index] ?? "open",
    owner: index === 1 ? "platform" : null, due: index === 1 ? now + 12 * DAY : null, affected: control.affected,
    healthy: WORKLOADS.length - control.affected, unknown: index === 2 ? 1 : 0, exempt: index === 1 ? 1 : 0,
    description: control.description, remediation: control.remediation, score_group: control.group,
    frameworks: ["pss-baseline@1.36", "cis-k8s@1.12"],
  }));
  const packages = [...new Set(FLAWS.map((flaw) => flaw.package))];
  const updates = packages.map((name): Recommendation => {
    const flaws = FLAWS.filter((flaw) => flaw.package === name);
    const worst = flaws[0];
    const ecosystem = worst?.ecosystem === "deb/debian" ? "debian" : worst?.ecosystem === "golang" ? "go" : "pypi";
    return {
      ...base, id: uuid(), rule: `update:${ecosystem}/${name}`, kind: "vulnerability",
      title: worst?.fixed == null ? `Watch ${name}: no fix yet` : `Update ${name} to ${flaws.at(-1)?.fixed ?? ""}`,
      severity: worst?.severity ?? "unknown", status: "open", owner: null, due: null, affected: flaws.length, healthy: 0,
      description: `${flaws.map((flaw) => flaw.id).join(", ")} in ${name} ${worst?.version ?? ""}.`,
      remediation: "Raise the version where the image is built, then roll the image out.", score_group: "vulnerabilities", frameworks: [],
    };
  });
  return [...controls, ...updates];
}

export function resourcesOf(item: Recommendation, all: readonly Finding[]): Finding[] {
  if (item.kind === "control") return all.filter((finding) => finding.rule === item.rule && finding.state === "unhealthy");
  const name = item.rule.split("/").slice(1).join("/");
  return all.filter((finding) => finding.detail.kind === "vulnerability" && finding.detail.package.name === name);
}

export function exemptions(now: number): Exemption[] {
  const base = { scope: PROD.scope, revision: 1, source: "ui" as const };
  return [
    { ...base, id: uuid(), target: { rule: "SW-C-0002", namespace: "monitoring", resource: "DaemonSet/node-exporter", package: null, path: "/spec/template/spec/volumes/0" }, category: "mitigated", reason: "Reads /proc and /sys of the node, read-only; that is what it is for.", owner: "platform", state: "granted", expires: now + 71 * DAY, matches: 1, last_match: now - 60_000, created: now - 19 * DAY },
    { ...base, id: uuid(), target: { rule: "SW-C-0001", namespace: "tools", resource: "Deployment/debug-shell", package: null, path: null }, category: "risk_accepted", reason: "Needed for the storage migration until the end of the month.", owner: "storage", state: "requested", expires: now + 6 * DAY, matches: 0, last_match: null, created: now - 2 * 3_600_000 },
    { ...base, id: uuid(), target: { rule: "CVE-2011-3374", namespace: null, resource: null, package: "apt", path: null }, category: "risk_accepted", reason: "Nothing in our images runs apt-key.", owner: "platform", state: "granted", expires: now + 20 * DAY, matches: 0, last_match: now - 30 * DAY, created: now - 60 * DAY, source: "ignore_file" },
    { ...base, id: uuid(), target: { rule: "SW-C-0004", namespace: "shop", resource: "CronJob/report", package: null, path: null }, category: "risk_accepted", reason: "Runs alone at night.", owner: "storefront", state: "denied", expires: now + 30 * DAY, matches: 0, last_match: null, created: now - 5 * DAY },
  ];
}

// Frameworks of the mock: the four controls that have findings, and more whose verdicts are counts alone.
import type { ControlState, FrameworkControl, FrameworkDetail, FrameworkEntry, FrameworkSection, Page, Severity } from "../../src/api/types";
import { CONTROLS } from "./findings";
import { listing } from "./listing";
import { Refusal } from "./refusal";
import type { World } from "./world";

interface Framework {
  name: string;
  version: string;
  title: string;
  source: string;
  /** Number, title, ids of controls. */
  sections: readonly [number: string | null, title: string | null, controls: readonly string[]][];
}

/** Passed, failed, unknown, not applicable, exempt. */
type Counts = readonly [number, number, number, number, number];

interface Counted {
  id: string;
  title: string;
  severity: Severity;
  counts: Counts;
  preview?: boolean;
}

const COUNTS: Record<string, Counts> = { "SW-C-0001": [38, 2, 0, 0, 1], "SW-C-0002": [36, 4, 0, 1, 0], "SW-C-0003": [30, 11, 0, 0, 0], "SW-C-0004": [34, 6, 1, 0, 0] };

const ALL: readonly Counted[] = [
  ...CONTROLS.map(({ id, title, severity }) => ({ id, title, severity, counts: COUNTS[id] ?? [0, 0, 0, 0, 0] as const })),
  { id: "SW-C-0012", title: "Kubelet answers without credentials", severity: "critical", counts: [6, 0, 2, 0, 0] },
  { id: "SW-C-0013", title: "Kubelet shows pods and their environment on its read-only port", severity: "high", counts: [8, 0, 0, 0, 0] },
  { id: "SW-C-0014", title: "API server's manifest may be written by others than root", severity: "high", counts: [0, 0, 0, 3, 0] },
  { id: "SW-C-0015", title: "Scheduler's manifest may be written by others than root", severity: "high", counts: [0, 0, 0, 0, 0] },
  { id: "SW-C-0016", title: "Role lets its holder bind roles with more rights than its own, escalate them or impersonate others", severity: "high", counts: [61, 1, 0, 0, 4] },
  { id: "SW-C-0018", title: "Namespace without a network policy that isolates its pods from those of other namespaces", severity: "medium", counts: [0, 0, 0, 0, 3] },
  { id: "SW-C-0019", title: "Image from a registry that is not allowed", severity: "medium", counts: [212, 1, 0, 0, 0], preview: true },
];

const POD = ["SW-C-0001", "SW-C-0002"];

const FRAMEWORKS: readonly Framework[] = [
  {
    name: "cis-k8s", version: "1.12", title: "CIS Kubernetes Benchmark", source: "https://www.cisecurity.org/benchmark/kubernetes",
    sections: [
      ["1.1.1", "API server static pod manifest: permissions", ["SW-C-0014"]],
      ["1.1.5", "Scheduler manifest: permissions", ["SW-C-0015"]],
      ["3.1.2", "Service account tokens for people", []],
      ["3.1.3", "Bootstrap tokens for people", []],
      ["4.2.1", "Kubelet: anonymous access", ["SW-C-0012"]],
      ["4.2.4", "Kubelet: read-only port", ["SW-C-0013"]],
      ["5.1.8", "Rights to bind, escalate and impersonate", ["SW-C-0016"]],
      ["5.2.2", "Privileged containers", ["SW-C-0001"]],
      ["5.2.6", "Privilege escalation", ["SW-C-0003"]],
      ["5.2.12", "hostPath volumes", ["SW-C-0002"]],
      ["5.3.2", "Network policies in every namespace", ["SW-C-0018"]],
      ["5.7.3", "Security contexts", ["SW-C-0001", "SW-C-0003", "SW-C-0004"]],
    ],
  },
  {
    name: "mitre", version: "current", title: "MITRE ATT&CK for Enterprise", source: "https://attack.mitre.org/",
    sections: [["T1499", "Endpoint Denial of Service", ["SW-C-0004"]], ["T1611", "Escape to Host", [...POD, "SW-C-0003"]]],
  },
  { name: "nsa-cisa", version: "current", title: "NSA and CISA Kubernetes Hardening Guide", source: "https://media.defense.gov/", sections: [[null, null, ["SW-C-0001", "SW-C-0002", "SW-C-0003", "SW-C-0004", "SW-C-0013", "SW-C-0018", "SW-C-0019"]]] },
  { name: "pss-baseline", version: "1.37", title: "Pod Security Standards, baseline", source: "https://kubernetes.io/docs/concepts/security/pod-security-standards/", sections: [[null, null, POD]] },
  {
    name: "pss-restricted", version: "1.37", title: "Pod Security Standards, restricted", source: "https://kubernetes.io/docs/concepts/security/pod-security-standards/",
    sections: [[null, null, ["SW-C-0003"]], [null, "Pod Security Standards, baseline", POD]],
  },
  { name: "azure-safeguards", version: "3.0", title: "Azure Policy, deployment safeguards of AKS", source: "https://learn.microsoft.com/azure/aks/policy-reference", sections: [[null, null, ["SW-C-0013", "SW-C-0015"]]] },
];

function control(world: World, framework: Framework, id: string): FrameworkControl[] {
  const known = ALL.find((each) => each.id === id);
  if (!known) return [];
  const [passed, failed, unknown, not_applicable, exempt] = world.clusters.length === 0 ? [0, 0, 0, 0, 0] as const : known.counts;
  const states: [number, ControlState][] = [[failed, "failing"], [unknown, "unknown"], [passed, "passing"], [exempt, "exempt"], [not_applicable, "not_applicable"]];
  return [{
    id, title: known.title, severity: known.severity, preview: known.preview === true,
    sections: framework.sections.flatMap(([number, , ids]) => (number !== null && ids.includes(id) ? [number] : [])),
    state: states.find(([count]) => count > 0)?.[1] ?? "not_assessed", passed, failed, unknown, not_applicable, exempt, mitigated: 0,
    compliance: passed + failed === 0 ? null : (100 * passed) / (passed + failed),
  }];
}

function sum<T>(rows: readonly T[], of: (row: T) => number): number {
  return rows.reduce((total, row) => total + of(row), 0);
}

function entry(world: World, framework: Framework, scope: string): { entry: FrameworkEntry; sections: FrameworkSection[] } {
  const sections = framework.sections.map(([number, title, ids]): FrameworkSection => ({ number, title, controls: ids.flatMap((id) => control(world, framework, id)) }));
  const unique = [...new Map(sections.flatMap((section) => section.controls).map((each) => [each.id, each])).values()];
  const counted = unique.filter((each) => !each.preview);
  const of = (state: ControlState) => counted.filter((each) => each.state === state).length;
  const scored = counted.filter((each) => each.compliance !== null || each.unknown === 0);
  const decided = sum(counted, (each) => each.passed + each.failed);
  const undecided = sum(counted, (each) => each.unknown);
  const entry: FrameworkEntry = {
    id: `${framework.name}@${framework.version}`, name: framework.name, version: framework.version, title: framework.title, source: framework.source, scope,
    controls: counted.length, failing: of("failing"), unknown: of("unknown"), passing: of("passing"), exempt: of("exempt"),
    not_applicable: of("not_applicable"), not_assessed: of("not_assessed"), risk: null,
    compliance: world.clusters.length === 0 ? null : sum(scored, (each) => each.compliance ?? 100) / scored.length,
    coverage: decided + undecided === 0 ? null : decided / (decided + undecided),
    open_sections: sections.filter((section) => section.controls.length === 0).length,
  };
  return { entry, sections };
}

const scopeOf = (query: URLSearchParams) => query.get("scope") ?? "/org/";

function found(id: string): Framework {
  const framework = FRAMEWORKS.find((each) => each.name === id || `${each.name}@${each.version}` === decodeURIComponent(id));
  if (!framework) throw new Refusal(404, `no framework \`${id}\``);
  return framework;
}

export function frameworks(world: World, query: URLSearchParams): Page<FrameworkEntry> {
  return listing(FRAMEWORKS.map((framework) => entry(world, framework, scopeOf(query)).entry), query, {
    name: (row) => row.name, title: (row) => row.title, compliance: (row) => row.compliance, coverage: (row) => row.coverage, controls: (row) => row.controls,
    failing: (row) => row.failing, unknown: (row) => row.unknown, passing: (row) => row.passing, not_assessed: (row) => row.not_assessed,
  }, "name");
}

export function frameworkOf(world: World, id: string, query: URLSearchParams): FrameworkDetail {
  const { entry: about, sections } = entry(world, found(id), scopeOf(query));
  return { ...about, sections };
}

export function frameworkControls(world: World, id: string, query: URLSearchParams): Page<FrameworkControl> {
  const { sections } = frameworkOf(world, id, query);
  const rows = new Map(sections.flatMap((section) => section.controls).map((each) => [each.id, each]));
  return listing([...rows.values()], query, { id: (row) => row.id, state: (row) => row.state, severity: (row) => row.severity }, "id");
}

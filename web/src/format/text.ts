// Numbers, names and commands as people and shells read them.
import type { ControlDetail, PatchOperation } from "../api/types";

const NUMBER = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

export function count(value: number): string {
  return NUMBER.format(value);
}

/** `1 alert`, `2 alerts`. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** Bytes in binary units: `512 B`, `1.5 MiB`. */
export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const step = value === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${NUMBER.format(value / 1024 ** step)} ${units[step] ?? ""}`;
}

/** `sha256:0123456789ab`: enough to tell two apart. */
export function shortDigest(digest: string): string {
  return digest.replace(/^(\w+:)?([0-9a-f]{12})[0-9a-f]+$/, "$1$2");
}

/** Words of the hub's codes that people write in capitals. */
const ACRONYMS = new Map(
  ["API", "CVE", "DDoS", "DNS", "EPSS", "KEV", "OpenVEX", "OS", "RBAC", "TLS", "UI", "URL", "VEX"].map((word) => [word.toLowerCase(), word]),
);

/** `in_progress` → `In progress`, `ddos` → `DDoS`. */
export function words(code: string): string {
  const [first = "", ...rest] = code.split(/[_\s-]/).map((word) => ACRONYMS.get(word) ?? word);
  const begin = ACRONYMS.has(first.toLowerCase()) ? first : first.charAt(0).toUpperCase() + first.slice(1);
  return [begin, ...rest].join(" ");
}

/** A word as a POSIX shell reads it back. */
export function shell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The command that applies a finding's JSON Patch (RFC 6902). */
export function kubectlPatch(resource: ControlDetail["resource"], fix: readonly PatchOperation[]): string {
  const group = resource.apiVersion.includes("/") ? resource.apiVersion.split("/") : null;
  const kind = resource.kind.toLowerCase();
  // `kind.version.group` names one API where two groups share a kind.
  const type = group ? `${kind}.${group[1] ?? ""}.${group[0] ?? ""}` : kind;
  const words = ["kubectl", "patch", type, resource.name];
  if (resource.namespace !== null) words.push("--namespace", resource.namespace);
  words.push("--type=json", "--patch", JSON.stringify(fix));
  return words.map(shell).join(" ");
}

export interface Fix {
  label: string;
  command: string;
}

/** The API server lets nobody change what a running pod is allowed; its manifest is patched and applied anew. */
const IMMUTABLE = ["Pod"];

/** How an object is healed: where it is, or in its manifest where it does not exist or cannot be changed. */
export function kubectlFix(resource: ControlDetail["resource"], fix: readonly PatchOperation[], exists: boolean): Fix {
  if (exists && !IMMUTABLE.includes(resource.kind)) return { label: "Fix with kubectl", command: kubectlPatch(resource, fix) };
  return {
    label: "Fix the manifest with kubectl",
    command: `kubectl patch --local --filename FILE.yaml --type=json --patch ${shell(JSON.stringify(fix))} --output yaml`,
  };
}

/** A command line as it was typed, near enough. */
export function commandLine(args: readonly string[]): string {
  return args.map(shell).join(" ");
}

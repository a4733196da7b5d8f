// A policy as its form holds it, as people read it, and as the API takes it.
import type { Assignment, Control, PolicyAction } from "../../api/types";
import { quote } from "../../filter/lex";

export interface PolicyForm {
  target: string | null;
  scope: string;
  namespaces: string[];
  excluded: string[];
  /** `name=value` */
  labels: string[];
  kinds: string[];
  action: PolicyAction;
  /** JSON; empty is no parameter. */
  params: string;
}

export function blankForm(scope: string): PolicyForm {
  return { target: null, scope, namespaces: [], excluded: [], labels: [], kinds: [], action: "audit", params: "" };
}

export function formOf(assignment: Assignment): PolicyForm {
  return {
    target: assignment.target,
    scope: assignment.scope,
    namespaces: assignment.namespaces,
    excluded: assignment.excluded_namespaces,
    labels: assignment.labels.map(([name, value]) => `${name}=${value}`),
    kinds: assignment.kinds,
    action: assignment.action,
    params: Object.keys(assignment.params).length === 0 ? "" : JSON.stringify(assignment.params, null, 2),
  };
}

/** The values in `params`, or what is wrong with the text. */
export function readParams(text: string): { params: Record<string, unknown> } | { mistake: string } {
  if (text.trim() === "") return { params: {} };
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read === "object" && read !== null && !Array.isArray(read)) return { params: read as Record<string, unknown> };
    return { mistake: "must be a JSON object such as {\"name\": true}" };
  } catch {
    return { mistake: "is no JSON" };
  }
}

export function badLabel(labels: readonly string[]): string | null {
  const bad = labels.find((label) => !/^[^=\s]+=/.test(label));
  return bad === undefined ? null : `“${bad}” is no label: write name=value`;
}

/** As the API takes it; null while something is missing or wrong. */
export function bodyOf(form: PolicyForm) {
  const read = readParams(form.params);
  if (form.target === null || "mistake" in read || badLabel(form.labels) !== null) return null;
  return {
    target: form.target,
    scope: form.scope,
    namespaces: form.namespaces,
    excluded_namespaces: form.excluded,
    labels: form.labels.map((label) => {
      const at = label.indexOf("=");
      return [label.slice(0, at), label.slice(at + 1)] as const;
    }),
    kinds: form.kinds,
    action: form.action,
    params: read.params,
  };
}

/** The findings that fail today where the policy would hold; globs and labels that the filter cannot say leave it wider. */
export function failingFilter({ target, scope, namespaces, excluded, kinds }: PolicyForm): string | null {
  if (target === null) return null;
  const [kind, name] = split(target);
  const sayable = (globs: readonly string[]) => globs.length > 0 && globs.every((glob) => /^[^*?[\]]+\*?$/.test(glob));
  const listed = (globs: readonly string[]) => globs.map((glob) => (glob.endsWith("*") ? glob : quote(glob))).join(",");
  const versions = name.includes("@") ? "" : `,${name}@*`;
  const what = kind === "framework" ? `framework:${quote(name)}${versions}` : `rule:${quote(name)}`;
  const terms = ["kind:control", "state:unhealthy", what, `scope:${scope}*`];
  if (sayable(namespaces)) terms.push(`namespace:${listed(namespaces)}`);
  if (sayable(excluded)) terms.push(`-namespace:${listed(excluded)}`);
  if (kinds.length > 0 && kinds.every((kind) => /^\w+$/.test(kind))) terms.push(`resource:${kinds.map((kind) => `${kind}/*`).join(",")}`);
  return terms.join(" ");
}

function split(target: string): [kind: string, name: string] {
  const at = target.indexOf(":");
  return [target.slice(0, at), target.slice(at + 1)];
}

export interface Titled {
  title: string;
  /** The id, or what kind of target it is. */
  second: string;
}

export function targetTitle(target: string, controls: readonly Control[]): Titled {
  const [kind, name] = split(target);
  if (kind === "framework") return { title: name, second: "framework" };
  return { title: controls.find((control) => control.id === name)?.title ?? name, second: name };
}

export interface TargetGroup {
  group: string;
  items: { value: string; label: string }[];
}

/** What may be assigned: every control, and every framework that a control names. */
export function targets(controls: readonly Control[]): TargetGroup[] {
  const frameworks = [...new Set(controls.flatMap((control) => control.frameworks))].sort();
  return [
    { group: "Frameworks", items: frameworks.map((name) => ({ value: `framework:${name}`, label: name })) },
    { group: "Controls", items: controls.map(({ id, title }) => ({ value: `control:${id}`, label: `${id} ${title}` })) },
  ];
}

/** What the control's text says of its parameters; the hub sends them in no other form. */
export function paramsText(control: Control | undefined): string | null {
  return /^params:[ \t]*(\S.*|(?:\n[ \t]+.*)+)$/m.exec(control?.text ?? "")?.[1]?.trim() ?? null;
}

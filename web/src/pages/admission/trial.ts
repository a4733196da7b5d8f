// What trials came to, in words, and when a set may be raised.
import type { PolicyAction, TriedSet, TrialOutcome, TrialSample, TrialSums } from "../../api/types";
import { plural } from "../../format/text";

/** As the hub orders them. */
const STRICTNESS: readonly PolicyAction[] = ["off", "audit", "warn", "deny"];

export function isRaise(from: PolicyAction, to: PolicyAction): boolean {
  return STRICTNESS.indexOf(to) > STRICTNESS.indexOf(from) && STRICTNESS.indexOf(to) >= STRICTNESS.indexOf("warn");
}

/** `2 objects and 1 request`, refused today; null where nobody tried the text. */
export function refusals({ clusters, objects, requests }: TrialSums): string | null {
  if (clusters === 0) return null;
  return `${plural(objects.refused, "object")} and ${plural(requests.refused, "request")}`;
}

export function undecided({ objects, requests }: TrialSums): number {
  return objects.undecided + requests.undecided;
}

/** Why the action cannot be raised yet; null where it can. The hub has the last word. */
export function notYet({ action, trials, untried }: TriedSet, to: PolicyAction): string | null {
  if (!isRaise(action, to)) return null;
  if (untried.length > 0) return `The present text has not been tried in ${untried.join(", ")}. Agents report a trial within minutes.`;
  if (trials.clusters === 0) return "No cluster has tried the present text: connect one at or below the scope.";
  return null;
}

/** The one that stands in the way of most comes first, as the agent orders them. */
export const OUTCOMES: Record<TrialOutcome, { label: string; tone: "bad" | "warn" | "neutral" }> = {
  refused: { label: "Refused", tone: "bad" },
  warned: { label: "Warned", tone: "warn" },
  undecided: { label: "Could not tell", tone: "neutral" },
};

/** `shop / Deployment/web` */
export function sampleName({ resource }: TrialSample): string {
  const name = `${resource.kind}/${resource.name === "" ? "(name to be generated)" : resource.name}`;
  return resource.namespace === null ? name : `${resource.namespace} / ${name}`;
}

/** Bytes of one text. Source: `MAX_TEXT` of the hub. */
export const MAX_TEXT = 512 * 1024;

/** Several files as one text of many documents. */
export function joined(texts: readonly string[]): string {
  return texts.map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`)).join("---\n");
}

/** What is wrong with a text before the hub has read it. */
export function textMistake(text: string): string | null {
  const size = new TextEncoder().encode(text).length;
  return size > MAX_TEXT ? `has ${plural(size, "byte")}; at most ${MAX_TEXT >> 10} KiB: split it into several sets` : null;
}

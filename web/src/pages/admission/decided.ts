// What a decision is called, and the ways to heal its object.
import type { DecidedControl, PatchOperation, StoredDecision } from "../../api/types";
import { kubectlFix, type Fix } from "../../format/text";

/** `Pod/web-1`. An object with a generated name has none yet when it is judged. */
export function resourceName({ resource }: StoredDecision): string {
  return `${resource.kind}/${resource.name === "" ? "(name to be generated)" : resource.name}`;
}

/** Controls that were only told, because an update added nothing to what failed before, come last. */
export function byWeight(controls: readonly DecidedControl[]): DecidedControl[] {
  return controls.toSorted((a, b) => Number(a.already_failing) - Number(b.already_failing));
}

/** A refused object does not exist; one that was let in, or whose change was refused, does. */
export function fixCommand({ resource, verdict, operation }: StoredDecision, fix: readonly PatchOperation[]): Fix {
  return kubectlFix(resource, fix, resource.name !== "" && (verdict !== "denied" || operation === "UPDATE"));
}

/** `Deployment/web`, where the object was made by another: a patch of the copy would be undone. */
export function madeBy(decision: StoredDecision): string | null {
  const { owner, resource } = decision;
  return owner !== null && owner !== `${resource.kind}/${resource.name}` ? owner : null;
}

export interface Asker {
  name: string;
  /** What the name alone does not say. */
  about: string | null;
}

/** Service accounts by their name; `system:serviceaccount:` would hide it in a narrow column. */
export function asker(user: string): Asker {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):(.+)$/.exec(user) ?? [];
  if (namespace === undefined || name === undefined) return { name: user, about: null };
  return { name, about: `service account in ${namespace}` };
}

// The commands that bring a cluster or machine in, made from a new enrolment's answer.
import { shell } from "../../format/text";

export interface EnrolTarget {
  /** `swe_SECRET.HASH-OF-THE-CA`, shown once. */
  token: string;
  /** The hub as the cluster reaches it: `https://HOST:8443`. */
  hub: string;
  /** How the cluster is called in the hub; the agent finds a name where it is empty. */
  name: string;
  /** Where the release's image was pushed to; the chart trusts no public registry by itself. */
  image: string;
  /** Of the hub, which names the chart's file. */
  version: string;
}

/** Names of what the chart expects in the namespace. */
const NAMESPACE = "seawall";
const SECRET = "seawall-enrolment";

/** `sha256:HEX` of the hub's CA, which every enrolment token ends with. */
export function pinOf(token: string): string | null {
  const hash = /\.(?:sha256:)?([0-9a-f]{64})$/.exec(token)?.[1];
  return hash === undefined ? null : `sha256:${hash}`;
}

/** The address in the command that the hub answers with; the page's own where it has none. */
export function hubOf(command: string, fallback: string): string {
  return /--hub[ =]'?(https:\/\/[^\s']+)/.exec(command)?.[1] ?? fallback;
}

/** A value of `helm --set`, in which commas, dots of keys and braces have a meaning of their own. */
function setting(key: string, value: string): string {
  return `  --set ${shell(`${key}=${value.replace(/[\\,{}]/g, "\\$&")}`)}`;
}

export function helmCommands({ token, hub, name, image, version }: EnrolTarget): string {
  const pin = pinOf(token);
  const settings = [
    setting("profile", "agent"),
    setting("image.repository", image.trim() === "" ? "REPOSITORY" : image.trim()),
    setting("hub.baseUrl", hub),
    ...(pin === null ? [] : [setting("hub.ca", pin)]),
    setting("agent.token.existingSecret", SECRET),
    ...(name.trim() === "" ? [] : [setting("clusterName", name.trim())]),
  ];
  return [
    `kubectl create namespace ${NAMESPACE}`,
    // By a pipe, so that the token stands in no process list.
    `printf %s ${shell(token)} | kubectl --namespace ${NAMESPACE} create secret generic ${SECRET} --from-file=token=/dev/stdin`,
    [`helm install seawall seawall-${version}.tgz --namespace ${NAMESPACE}`, ...settings].join(" \\\n"),
  ].join("\n");
}

export function machineCommands({ token, hub }: Pick<EnrolTarget, "token" | "hub">): string {
  return [
    `(umask 077; printf %s ${shell(token)} > seawall-token)`,
    `sudo seawall sensor --hub ${shell(hub)} --token-file seawall-token`,
  ].join("\n");
}

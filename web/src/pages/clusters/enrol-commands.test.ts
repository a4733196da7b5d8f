import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { helmCommands, hubOf, machineCommands, pinOf } from "./enrol-commands";

const HASH = "ab".repeat(32);
const TOKEN = `swe_x-Y_9.${HASH}`;

test.each([
  [TOKEN, `sha256:${HASH}`],
  [`swe_x.sha256:${HASH}`, `sha256:${HASH}`],
  ["swe_x", null],
])("the pin of %s", (token, expected) => {
  expect(pinOf(token)).toBe(expected);
});

test.each([
  [`(umask 077; printf %s 'x' > t) && seawall sensor --hub https://hub.example:8443 --token-file t`, "https://hub.example:8443"],
  ["seawall sensor --hub='https://[2001:db8::1]:8443' --token-file t", "https://[2001:db8::1]:8443"],
  ["seawall sensor", "https://page"],
  ["seawall sensor --hub https://localhost:8443 --token-file t", "https://page"],
])("the hub in %s", (command, expected) => {
  expect(hubOf(command, "https://page")).toBe(expected);
});

test("a cluster is installed with the hub's address, its pin and the secret", () => {
  expect(helmCommands({ token: TOKEN, hub: "https://hub.example:8443/ ", name: " prod 1,a ", image: "registry.example:5000/seawall", version: "0.1.0" })).toBe(
    [
      "kubectl create namespace seawall",
      `printf %s ${TOKEN} | kubectl --namespace seawall create secret generic seawall-enrolment --from-file=token=/dev/stdin`,
      "helm install seawall seawall-0.1.0.tgz --namespace seawall \\",
      "  --set profile=agent \\",
      "  --set image.repository=registry.example:5000/seawall \\",
      "  --set hub.baseUrl=https://hub.example:8443 \\",
      `  --set hub.ca=sha256:${HASH} \\`,
      "  --set agent.token.existingSecret=seawall-enrolment \\",
      "  --set-string 'clusterName=prod 1\\,a'",
    ].join("\n"),
  );
});

test("a machine needs the token in a file that only its owner reads", () => {
  expect(machineCommands({ token: TOKEN, hub: "https://hub.example:8443/" })).toBe(
    `(umask 077; printf %s ${TOKEN} > seawall-token)\nsudo seawall sensor --hub https://hub.example:8443 --token-file seawall-token`,
  );
});

test("what is not known yet is a word to replace", () => {
  const commands = helmCommands({ token: "swe_x", hub: "https://hub", name: "", image: " ", version: "0.1.0" });
  expect(commands).toContain("--set image.repository=REPOSITORY");
  expect(commands).toContain("--set hub.ca=FINGERPRINT");
  expect(commands).not.toContain("clusterName");
});

interface Values {
  type?: string;
  pattern?: string;
  enum?: string[];
  $ref?: string;
  properties?: Record<string, Values>;
}

test("the chart takes every value of the command", () => {
  const chart = JSON.parse(readFileSync(new URL("../../../../deploy/helm/seawall/values.schema.json", import.meta.url), "utf8")) as Values & { $defs: Record<string, Values> };
  const commands = helmCommands({ token: TOKEN, hub: "https://hub.example:8443/", name: "7", image: "registry.example:5000/seawall", version: "0.1.0" });
  const settings = [...commands.matchAll(/--set(?:-string)? ([\w.]+)=(\S+)/g)].map(([, key = "", value = ""]) => [key, value] as const);
  expect(settings).toHaveLength(6);
  expect(commands).toContain("--set-string clusterName=7");
  for (const [key, value] of settings) {
    let found: Values | undefined = chart;
    for (const part of key.split(".")) found = found?.properties?.[part];
    if (found?.$ref !== undefined) found = chart.$defs[found.$ref.replace("#/$defs/", "")];
    expect(found, key).toBeDefined();
    expect(found?.type ?? "string", key).toBe("string");
    expect(value, key).toMatch(new RegExp(found?.pattern ?? ""));
    expect(found?.enum ?? [value], key).toContain(value);
  }
});

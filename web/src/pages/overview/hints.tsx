// What is missing for a full picture, each with the command that brings it.
import { Code } from "../../parts/copy";
import { words } from "../../format/text";
import css from "./overview.module.css";

interface Hint {
  title: string;
  text: string;
  command?: string;
}

/** By the hub's code. An unknown code is still shown, in words. */
const HINTS: Record<string, Hint> = {
  "no-cluster": {
    title: "Connect a cluster",
    text: "Workloads are judged by the hardening controls as soon as the hub can watch them.",
    command: "seawall up --kubeconfig FILE",
  },
  "no-images": {
    title: "Look into images",
    text: "Images of the local containerd are scanned when its socket can be read.",
    command: "seawall up --containerd /run/containerd/containerd.sock",
  },
  "no-sensor": {
    title: "Watch what runs",
    text: "No sensor is connected, so no alert can come. It needs root on Linux with BTF.",
    command: "sudo seawall up",
  },
  "no-index": {
    title: "Load vulnerability feeds",
    text: "Packages are known, but nothing can be said about their flaws without feeds.",
    command: "seawall up --feeds ROOT",
  },
  "node-not-covered": {
    title: "A node is not fully covered",
    text: "Some of its packages could not be judged. Inventory, Assets, the node says which.",
  },
};

export function Hints({ codes }: { codes: readonly string[] }) {
  if (codes.length === 0) return null;
  return (
    <div className={css.hints}>
      {codes.map((code) => {
        const hint = HINTS[code] ?? { title: words(code), text: "" };
        return (
          <section key={code} className={css.hint}>
            <div>
              <h2>{hint.title}</h2>
              <p>{hint.text}</p>
            </div>
            {hint.command !== undefined && <Code text={hint.command} label="command" />}
          </section>
        );
      })}
    </div>
  );
}

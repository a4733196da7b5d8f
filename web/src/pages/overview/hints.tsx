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
  no_cluster: {
    title: "Connect a cluster",
    text: "Workloads are judged by the hardening controls as soon as the hub can watch them.",
    command: "seawall up --kubeconfig FILE",
  },
  no_agent: {
    title: "Connect an agent",
    text: "An agent sends what happens on its machine. Make an enrolment token in Settings, then run it there.",
    command: "seawall agent --hub URL --token-file FILE",
  },
  no_sensor: {
    title: "Start a sensor",
    text: "Detections need root on Linux with BTF.",
    command: "sudo seawall up",
  },
  no_images: {
    title: "Look into images",
    text: "Images of the local containerd are scanned when its socket can be read.",
    command: "seawall up --containerd /run/containerd/containerd.sock",
  },
  no_feeds: {
    title: "Load vulnerability feeds",
    text: "Packages are known, but nothing can be said about their flaws without feeds.",
    command: "seawall up --feeds ROOT",
  },
};

export function Hints({ codes }: { codes: readonly string[] }) {
  if (codes.length === 0) return null;
  return (
    <div className={css.hints}>
      {codes.map((code) => {
        const hint = HINTS[code.replaceAll("-", "_")] ?? { title: words(code), text: "" };
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

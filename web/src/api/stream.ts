// Server-sent events: each names a noun that changed, and every query about that noun is asked again.
import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { address } from "./http";

/** Which lists and documents show a noun. */
const SHOWN_BY: Record<string, readonly string[]> = {
  alert: ["alerts", "overview", "events"],
  finding: ["findings", "recommendations", "frameworks", "images", "overview"],
  recommendation: ["recommendations", "overview"],
  score: ["scores", "frameworks", "overview"],
  image: ["images", "packages", "overview"],
  agent: ["agents", "clusters", "features", "overview"],
  cluster: ["clusters", "assets", "features", "overview"],
  decision: ["decisions", "clusters"],
  gap: ["gaps", "clusters"],
  assignment: ["assignments", "clusters"],
  policy_set: ["policy-sets", "clusters"],
  trial: ["policy-sets", "clusters"],
  enrolment: ["enrolments"],
  exemption: ["exemptions", "recommendations", "findings", "overview"],
};

/** At a flood of events the lists are asked again at most this often, in milliseconds. */
const MIN_INTERVAL = 1_000;
/** A single event is shown after this, in milliseconds: a burst of one transaction arrives together. */
const FIRST_DELAY = 80;

export type StreamState = "connecting" | "live" | "lost";

/** Collects nouns and asks again for what shows them, soon at first and then at a bounded rate. */
export function invalidator(client: Pick<QueryClient, "invalidateQueries">, now: () => number = Date.now) {
  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let flushed = -MIN_INTERVAL;

  function flush(): void {
    timer = null;
    flushed = now();
    for (const key of changed) void client.invalidateQueries({ queryKey: [key] });
    changed.clear();
  }

  return {
    changed(noun: string): void {
      for (const key of SHOWN_BY[noun] ?? [noun]) changed.add(key);
      timer ??= setTimeout(flush, Math.max(FIRST_DELAY, flushed + MIN_INTERVAL - now()));
    },
    stop(): void {
      if (timer !== null) clearTimeout(timer);
    },
  };
}

/** Follows the stream while mounted. The browser reconnects by itself and sends `Last-Event-ID`. */
export function useStream(): StreamState {
  const client = useQueryClient();
  const [state, setState] = useState<StreamState>("connecting");
  useEffect(() => {
    const queue = invalidator(client);
    let source: EventSource;
    let retry: ReturnType<typeof setTimeout> | null = null;

    function open(): void {
      source = new EventSource(address("/stream"));
      source.onopen = () => setState("live");
      source.onerror = () => {
        setState("lost");
        // After an HTTP error the browser gives up; a hub that restarts must be found again.
        if (source.readyState === EventSource.CLOSED) {
          void client.invalidateQueries({ queryKey: ["session"] });
          retry = setTimeout(open, 3_000);
        }
      };
      for (const noun of Object.keys(SHOWN_BY)) source.addEventListener(noun, () => queue.changed(noun));
      source.addEventListener("resync", () => void client.invalidateQueries());
    }

    open();
    return () => {
      source.close();
      queue.stop();
      if (retry !== null) clearTimeout(retry);
    };
  }, [client]);
  return state;
}

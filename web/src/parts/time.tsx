// A time as "4 min ago" that keeps ageing, with the exact time a hover away.
import { useSyncExternalStore } from "react";
import type { Millis } from "../api/types";
import { exact, relative } from "../format/time";

/** Ages are shown in minutes, so half a minute is fresh enough. */
const TICK = 15_000;

let now = Date.now();
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

setInterval(() => {
  now = Date.now();
  for (const listener of listeners) listener();
}, TICK);

export function useNow(): Millis {
  return useSyncExternalStore(subscribe, () => now);
}

export function Time({ at }: { at: Millis | null | undefined }) {
  const current = useNow();
  if (at === null || at === undefined) return <span className="muted">never</span>;
  return (
    <time className="nowrap" dateTime={new Date(at).toISOString()} title={exact(at)}>
      {relative(at, current)}
    </time>
  );
}

// How long ago something was heard of, and whether that is too long.
import type { Millis } from "../api/types";
import { exact, relative } from "../format/time";
import { Dot } from "./tag";
import { useNow } from "./time";

/** Agents report at least once a minute; past these, in milliseconds, a listing is late and then stale. */
const LATE = 2 * 60_000;
const STALE = 10 * 60_000;

export function Freshness({ at }: { at: Millis }) {
  const age = useNow() - at;
  const [tone, word] =
    age < LATE ? (["good", "Fresh"] as const) : age < STALE ? (["warn", "Late"] as const) : (["bad", "Stale"] as const);
  return (
    <Dot tone={tone} title={exact(at)}>
      {word}
      <span className="muted">{relative(at, at + Math.max(age, 0))}</span>
    </Dot>
  );
}

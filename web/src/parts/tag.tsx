// A short word about state. The tone repeats what the word says.
import type { ReactNode } from "react";
import css from "./tag.module.css";

export type Tone = "neutral" | "good" | "bad" | "warn" | "accent";

export function Tag({ tone = "neutral", children, title }: { tone?: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={css.tag} data-tone={tone} title={title}>
      {children}
    </span>
  );
}

/** A word with a dot before it: for a column of states, where a filled tag would shout. */
export function Dot({ tone, children, title }: { tone: Tone; children: ReactNode; title?: string }) {
  return (
    <span className={css.dotted} data-tone={tone} title={title}>
      <span className={css.dot} aria-hidden />
      {children}
    </span>
  );
}

// What a kernel lets a sensor see, a row each: of one agent, or of all of a cluster's.
import type { ReactNode } from "react";
import { words } from "../format/text";
import { CodeWord } from "./code-word";
import css from "./small-table.module.css";
import { Dot, type Tone } from "./tag";

/** `unknown`: nobody who is connected says. */
export type CapabilityState = "full" | "partial" | "absent" | "unknown";

const TONES: Record<CapabilityState, Tone> = { full: "good", partial: "warn", absent: "bad", unknown: "neutral" };

export interface CapabilityRow {
  name: string;
  state: CapabilityState;
  /** The two further columns. */
  more: readonly [ReactNode, ReactNode];
}

export function Capabilities({ more, rows, none }: { more: readonly [string, string]; rows: readonly CapabilityRow[]; none: string }) {
  if (rows.length === 0) return <span className="muted">{none}</span>;
  return (
    <table className={css.table}>
      <thead>
        <tr>
          {["Sees", "State", ...more].map((title) => (
            <th key={title} scope="col">
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, state, more: [third, fourth] }) => (
          <tr key={name}>
            <td>
              <CodeWord text={name} />
            </td>
            <td>
              <Dot tone={TONES[state]}>{words(state)}</Dot>
            </td>
            <td>{third}</td>
            <td>{fourth}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

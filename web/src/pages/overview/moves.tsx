// The last moves of the score, each with its cause.
import type { ScoreDelta } from "../../api/types";
import { Panel } from "../../parts/section";
import { Time } from "../../parts/time";
import css from "./overview.module.css";

function change({ from, to }: ScoreDelta): { text: string; tone: string | undefined } {
  if (from === null || to === null) return { text: to === null ? "–" : to.toFixed(1), tone: undefined };
  const delta = to - from;
  const sign = delta > 0 ? "+" : delta < 0 ? "−" : "±";
  return { text: `${sign}${Math.abs(delta).toFixed(1)}`, tone: delta > 0 ? css.up : delta < 0 ? css.down : undefined };
}

export function Moves({ moves }: { moves: readonly ScoreDelta[] }) {
  return (
    <div className={css.moves}>
      <Panel title="Score moves">
        {moves.length === 0 && <span className="muted">The score has not moved yet.</span>}
        <ul className={css.rows}>
          {moves.slice(0, 6).map((move) => {
            const { text, tone } = change(move);
            return (
              <li key={move.id}>
                <span className={`${css.delta} ${tone ?? ""}`}>{text}</span>
                <span className="wrap-anywhere">{move.cause}</span>
                <span className="muted">
                  <Time at={move.at} />
                </span>
              </li>
            );
          })}
        </ul>
      </Panel>
    </div>
  );
}

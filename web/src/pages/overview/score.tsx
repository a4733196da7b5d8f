import type { Score } from "../../api/types";
import { count, words } from "../../format/text";
import { Panel } from "../../parts/section";
import css from "./overview.module.css";

const RADIUS = 54;
const ROUND = 2 * Math.PI * RADIUS;

/** Where the ring changes its colour; the number says the same. */
function colour(secure: number): string {
  if (secure >= 80) return "var(--sw-good-solid)";
  return secure >= 50 ? "var(--sw-medium-solid)" : "var(--sw-critical-solid)";
}

export function ScorePanel({ score }: { score: Score }) {
  const { secure, coverage, groups } = score;
  return (
    <div className={css.score}>
      <Panel
        title="Secure score"
        aside={
          <span className="muted" title="Share of resources that could be judged">
            {coverage === null ? "nothing assessed" : `${count(coverage * 100)}% covered`}
          </span>
        }
      >
        <div className={css.scoreBody}>
          <div className={css.ring} role="img" aria-label={secure === null ? "No score yet" : `Score ${secure.toFixed(1)} of 100`}>
            <svg viewBox="0 0 128 128">
              <circle cx="64" cy="64" r={RADIUS} fill="none" stroke="var(--sw-line)" strokeWidth="10" />
              {secure !== null && (
                <circle
                  cx="64"
                  cy="64"
                  r={RADIUS}
                  fill="none"
                  stroke={colour(secure)}
                  strokeWidth="10"
                  strokeLinecap="round"
                  strokeDasharray={`${(secure / 100) * ROUND} ${ROUND}`}
                  transform="rotate(-90 64 64)"
                />
              )}
            </svg>
            <div className={css.figure}>
              <strong>{secure === null ? "–" : secure.toFixed(secure === 100 ? 0 : 1)}</strong>
              <span>of 100</span>
            </div>
          </div>
          <div className={css.groups}>
            {groups.length === 0 && <span className="muted">No control has judged a resource yet.</span>}
            {groups.map((group) => (
              <div key={group.group} className={css.group}>
                <div className={css.groupHead}>
                  <span>{words(group.group)}</span>
                  <span className="muted nowrap">
                    {count(group.score)} / {count(group.max)}
                  </span>
                </div>
                <div className={css.meter} aria-hidden>
                  <div style={{ width: `${group.max === 0 ? 0 : (group.score / group.max) * 100}%` }} />
                </div>
                <small className="muted">
                  {count(group.unhealthy)} unhealthy · {count(group.healthy)} healthy
                  {group.unknown > 0 && ` · ${count(group.unknown)} unknown`}
                </small>
              </div>
            ))}
          </div>
        </div>
      </Panel>
    </div>
  );
}

// What was left out of a result. A list with a gap is incomplete, never clean.
import type { Problem } from "../api/types";
import { Prose } from "./prose";
import css from "./problems.module.css";
import { Tag, type Tone } from "./tag";

const TONES: Record<Problem["kind"], Tone> = { note: "neutral", warning: "warn", gap: "warn", error: "bad" };

export function Problems({ problems }: { problems: readonly Problem[] }) {
  return (
    <ul className={css.problems}>
      {problems.map((problem, index) => (
        <li key={index}>
          <Tag tone={TONES[problem.kind]}>{problem.kind}</Tag>
          <div>
            <Prose text={problem.message} />
            {problem.item !== null && <div className="mono muted wrap-anywhere">{problem.item}</div>}
            {problem.file !== null && (
              <div className="mono muted wrap-anywhere">
                {[problem.file, problem.line, problem.column].filter((part) => part !== null).join(":")}
              </div>
            )}
            {problem.help !== null && <div className="muted">
                <Prose text={problem.help} />
              </div>}
          </div>
        </li>
      ))}
    </ul>
  );
}

// The process that fired under its ancestors, oldest first, each with its arguments.
import type { ProcessEvidence } from "../../api/types";
import { commandLine } from "../../format/text";
import { clock } from "../../format/time";
import css from "./process-tree.module.css";

/** `process` is as the hub sends it: the process first, then its ancestors, nearest first. */
export function ProcessTree({ process }: { process: readonly ProcessEvidence[] }) {
  const chain = process.toReversed();
  return (
    <ol className={css.tree}>
      {chain.map((one, depth) => (
        <li
          key={one.exec_id}
          className={css.process}
          data-fired={depth === chain.length - 1 || undefined}
          style={{ marginInlineStart: `${Math.min(depth, 8) * 18}px` }}
        >
          <div className={css.line}>
            <span className={css.name}>{one.name}</span>
            <span className={css.pid}>pid {one.pid}</span>
            <span className={css.user}>{one.user === null ? `uid ${one.uid}` : `${one.user} (${one.uid})`}</span>
            <time className={css.start} dateTime={new Date(one.start).toISOString()}>
              {clock(one.start)}
            </time>
          </div>
          <code className={css.args}>{one.args.length > 0 ? commandLine(one.args) : one.exe}</code>
          <div className={css.more}>
            {one.exe}
            {one.cwd !== null && ` in ${one.cwd}`}
          </div>
        </li>
      ))}
    </ol>
  );
}

// What a scan left out, above what it found.
import type { Problem } from "../api/types";
import { plural } from "../format/text";
import { Problems } from "./problems";
import css from "./remarks.module.css";

/** Nothing where there is none. */
export function Remarks({ problems }: { problems: readonly Problem[] }) {
  if (problems.length === 0) return null;
  return (
    <section className={css.remarks}>
      <h3>{plural(problems.length, "remark")} on this scan</h3>
      <Problems problems={problems} />
    </section>
  );
}

// What runs today and would be refused: the findings of the same controls in the same place.
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { topQuery } from "../../api/queries";
import type { Finding } from "../../api/types";
import { count, plural } from "../../format/text";
import { ClusterPath } from "../../parts/cluster-name";
import { Failure } from "../../parts/failure";
import css from "./admission.module.css";
import { failingFilter, type PolicyForm } from "./assignment";

/** Enough to recognise what they are. */
const SAMPLES = 4;

export function WouldRefuse({ form }: { form: PolicyForm }) {
  const [filter] = useDebouncedValue(failingFilter(form), 250);
  const failing = useQuery({
    ...topQuery<Finding>("findings", SAMPLES, { filter, sort: "-severity" }),
    enabled: filter !== null,
  });
  if (filter === null) return null;
  const total = failing.data?.total.value ?? 0;
  const items = failing.data?.items ?? [];
  return (
    <div className={css.refuse} role="status">
      {failing.isPending && "Counting what it would refuse today…"}
      {failing.error && <Failure error={failing.error} />}
      {failing.data && total === 0 && "Nothing that runs there fails today."}
      {total > 0 && (
        <>
          <strong>{plural(total, "finding fails", "findings fail")} today</strong>: such objects would be refused when made anew.
          What runs is left alone.
          <ul>
            {items.map((finding) => (
              <li key={finding.id}>
                {finding.resource}{" "}
                <span className={css.second}>
                  {finding.rule} · <ClusterPath cluster={finding.cluster} below={[finding.namespace]} />
                </span>
              </li>
            ))}
          </ul>
          {total > items.length && <div className={css.second}>and {count(total - items.length)} more</div>}
        </>
      )}
    </div>
  );
}

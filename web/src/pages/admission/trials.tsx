// What a set would do in each cluster: counts, and who or what would meet it.
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { topQuery } from "../../api/queries";
import type { StoredTrial, Tried, TriedSet, TrialSample } from "../../api/types";
import { count, plural } from "../../format/text";
import { ClusterName } from "../../parts/cluster-name";
import { Failure } from "../../parts/failure";
import { Section } from "../../parts/section";
import { Dot, Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import css from "./admission.module.css";
import { OUTCOMES, sampleName } from "./trial";

/** Clusters of one drawer; the API has all. */
const CLUSTERS = 100;
/** Samples of a cluster before one asks for more. */
const SAMPLES = 4;

export function Trials({ set }: { set: TriedSet }) {
  const trials = useQuery(topQuery<StoredTrial>(`policy-sets/${set.id}/trials`, CLUSTERS, { sort: "-objects_refused" }));
  const { items = [], total } = trials.data ?? {};
  return (
    <Section title="Trials">
      {trials.error && <Failure error={trials.error} retry={() => void trials.refetch()} />}
      {trials.data && items.length === 0 && (
        <span className="muted">
          {set.action === "off" ? "A set that is off is not tried." : "No cluster has reported one. Agents try a set soon after they are told of it."}
        </span>
      )}
      <div className={css.controls}>
        {items.map((trial) => (
          <Trial key={trial.id} trial={trial} isOld={trial.version !== set.version} />
        ))}
      </div>
      {total && total.value > items.length && <p className="muted">and {plural(total.value - items.length, "more cluster")}</p>}
    </Section>
  );
}

function Trial({ trial, isOld }: { trial: StoredTrial; isOld: boolean }) {
  return (
    <article className={css.failed} aria-label={`Trial in ${trial.cluster}`}>
      <div className={css.failedHead}>
        <strong>
          <ClusterName cluster={trial.cluster} />
        </strong>
        <span className={css.action}>
          {isOld && <Tag tone="warn">of version {trial.version}</Tag>}
          <span className="muted">
            <Time at={trial.time} />
          </span>
        </span>
      </div>
      <table className={css.counts}>
        <thead>
          <tr>
            <td />
            <th scope="col">Judged</th>
            <th scope="col">Refused</th>
            <th scope="col">Warned</th>
            <th scope="col">Could not tell</th>
          </tr>
        </thead>
        <tbody>
          <Counts title="Objects" tried={trial.objects} />
          <Counts title="Recent requests" tried={trial.requests} />
        </tbody>
      </table>
      {trial.samples.length > 0 && <Samples samples={trial.samples} />}
      {trial.problems.length > 0 && (
        <div>
          <h4>Problems</h4>
          <ul className={css.paths}>
            {trial.problems.map((problem, index) => (
              <li key={index}>{problem}</li>
            ))}
          </ul>
        </div>
      )}
    </article>
  );
}

function Counts({ title, tried }: { title: string; tried: Tried }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      {[tried.judged, tried.refused, tried.warned, tried.undecided].map((value, index) => (
        <td key={index} data-zero={value === 0}>
          {count(value)}
        </td>
      ))}
    </tr>
  );
}

function Samples({ samples }: { samples: readonly TrialSample[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? samples : samples.slice(0, SAMPLES);
  return (
    <div>
      <h4>Samples</h4>
      <ul className={css.samples}>
        {shown.map((sample, index) => (
          <li key={index}>
            <Dot tone={OUTCOMES[sample.outcome].tone}>{OUTCOMES[sample.outcome].label}</Dot>
            <div>
              <div className="wrap-anywhere">{sampleName(sample)}</div>
              <div className={css.second}>
                <span className="mono wrap-anywhere">{sample.policy}</span>
                {sample.user !== null && ` · asked by ${sample.user}`}
              </div>
              <div className="wrap-anywhere">{sample.message}</div>
            </div>
          </li>
        ))}
      </ul>
      {samples.length > shown.length && (
        <Button variant="default" size="compact-xs" onClick={() => setAll(true)}>
          Show all {samples.length} samples
        </Button>
      )}
    </div>
  );
}

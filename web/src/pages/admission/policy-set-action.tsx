// Raises or lowers the most that a set may do. Before it warns or refuses, it shows what that would have met.
import { Button, Modal, Select } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import { topQuery } from "../../api/queries";
import type { PolicyAction, StoredTrial, TriedSet } from "../../api/types";
import { count, plural } from "../../format/text";
import { ClusterPath } from "../../parts/cluster-name";
import { Failure } from "../../parts/failure";
import css from "./admission.module.css";
import { isRaise, notYet, refusals, sampleName, undecided } from "./trial";
import { ACTIONS } from "./verdict";

/** What the ceiling means; each policy's bindings or enforcement action say what it does below it. */
export const MEANS: Record<PolicyAction, string> = {
  off: "Clusters are not told of it: nothing is tried or recorded.",
  audit: "Nothing is refused. What its policies would have done is recorded.",
  warn: "Its policies warn whoever asked, and refuse nothing.",
  deny: "Its policies refuse what their own bindings and enforcement actions say.",
};

/** Enough to recognise what they are. */
const SAMPLES = 5;
/** Clusters that samples are taken from. */
const CLUSTERS = 20;

export function ActionDialog({ set, onClose }: { set: TriedSet; onClose: () => void }) {
  const client = useQueryClient();
  const [action, setAction] = useState<PolicyAction>(set.action);
  const raises = isRaise(set.action, action);
  const missing = notYet(set, action);
  const save = useMutation({
    mutationFn: () => {
      const { id, name, scope, text, revision } = set;
      return call<TriedSet>("PUT", `/policy-sets/${id}`, { body: { name, scope, text, action }, revision });
    },
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: ["policy-sets"] });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Change action of ${set.name}`} size={560} closeButtonProps={{ "aria-label": "Close" }}>
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Select
          label="Action"
          description={MEANS[action]}
          data={ACTIONS.map(({ value, label }) => ({ value, label }))}
          value={action}
          allowDeselect={false}
          onChange={(value) => value && setAction(value)}
          data-autofocus
        />
        {raises && missing !== null && (
          <div className={css.refuse} role="status">
            <strong>Not yet.</strong> {missing}
          </div>
        )}
        {raises && missing === null && <Preview set={set} action={action} />}
        {save.error && <Failure error={save.error} />}
        <div className={css.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            type="submit"
            {...(raises && action === "deny" && { color: "red.9" })}
            disabled={action === set.action || missing !== null}
            loading={save.isPending}
          >
            {action === set.action ? "Change action" : `Set to ${action}`}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Preview({ set, action }: { set: TriedSet; action: PolicyAction }) {
  const found = useQuery(topQuery<StoredTrial>(`policy-sets/${set.id}/trials`, CLUSTERS, { filter: `version:${set.version}`, sort: "-objects_refused" }));
  const open = undecided(set.trials);
  const samples = (found.data?.items ?? []).flatMap(({ cluster, samples }) =>
    samples.filter((sample) => sample.outcome === "refused").map((sample) => ({ cluster, sample })),
  );
  return (
    <div className={css.refuse} role="status">
      <strong>
        {action === "deny" ? "Would have refused" : "Would have warned of"} {refusals(set.trials)}
      </strong>{" "}
      in {plural(set.trials.clusters, "cluster")}. What runs is left alone; such objects meet it when they are made or changed.
      {found.error && <Failure error={found.error} />}
      {samples.length > 0 && (
        <ul>
          {samples.slice(0, SAMPLES).map(({ cluster, sample }, index) => (
            <li key={index}>
              <ClusterPath cluster={cluster} below={[sampleName(sample)]} />
              <div className={css.second}>
                {sample.policy}: {sample.message}
              </div>
            </li>
          ))}
        </ul>
      )}
      {open > 0 && <div>Of {count(open)} more a policy could not tell.</div>}
    </div>
  );
}

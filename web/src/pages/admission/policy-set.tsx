// One policy set: its text, what it would do in each cluster, and the steps up and down.
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import { useMay } from "../../api/session";
import type { TriedSet } from "../../api/types";
import { plural } from "../../format/text";
import { ClusterName } from "../../parts/cluster-name";
import { Confirm } from "../../parts/confirm";
import { Code } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Section } from "../../parts/section";
import { Time } from "../../parts/time";
import css from "./admission.module.css";
import { ActionDialog, MEANS } from "./policy-set-action";
import { PolicySetDialog } from "./policy-set-dialog";
import { refusals } from "./trial";
import { Trials } from "./trials";
import { ActionDot } from "./verdict";

export function PolicySetDetail({ id, close }: { id: string; close: () => void }) {
  return (
    <Detail<TriedSet>
      noun="policy-sets"
      id={id}
      close={close}
      title={(set) => set.name}
      head={(set) => (
        <div className={css.row}>
          <ActionDot action={set.action} />
          <span className="muted">version {set.version}</span>
        </div>
      )}
      actions={(set) => <Actions set={set} onDeleted={close} />}
    >
      {(set) => (
        <>
          <Section title="What it does">
            <p className={css.text}>{MEANS[set.action]}</p>
            <Facts
              facts={[
                [
                  "Scope",
                  <ClusterName cluster={set.scope}>
                    <span className="mono">{set.scope}</span>
                  </ClusterName>,
                ],
                ["Would refuse", <WouldRefuse set={set} />],
                ["Waits for", set.untried.length > 0 ? `a trial in ${set.untried.join(", ")}` : null],
                ["Created", <Time at={set.created} />],
                ["Changed", <Time at={set.updated} />],
              ]}
            />
          </Section>
          <Trials set={set} />
          <Section title="Text">
            <Code text={set.text} label="text of the policy set" />
          </Section>
        </>
      )}
    </Detail>
  );
}

function WouldRefuse({ set }: { set: TriedSet }) {
  const refused = refusals(set.trials);
  if (refused === null) return <span className="muted">Unknown: nobody has tried version {set.version}.</span>;
  return (
    <>
      {refused} in {plural(set.trials.clusters, "cluster")}
    </>
  );
}

function Actions({ set, onDeleted }: { set: TriedSet; onDeleted: () => void }) {
  const mayEdit = useMay("edit_policy");
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"action" | "edit" | "delete" | null>(null);
  const close = () => setDialog(null);
  const remove = useMutation({
    mutationFn: () => call<undefined>("DELETE", `/policy-sets/${set.id}`, { revision: set.revision }),
    onSuccess: async () => {
      onDeleted();
      await client.invalidateQueries({ queryKey: ["policy-sets", "list"] });
    },
  });
  if (!mayEdit) return null;
  return (
    <>
      <Button onClick={() => setDialog("action")}>Change action…</Button>
      <Button variant="default" onClick={() => setDialog("edit")}>
        Replace text…
      </Button>
      <Button variant="default" onClick={() => setDialog("delete")}>
        Delete…
      </Button>
      {dialog === "action" && <ActionDialog set={set} onClose={close} />}
      {dialog === "edit" && <PolicySetDialog set={set} onClose={close} />}
      {dialog === "delete" && (
        <Confirm
          title="Delete policy set"
          action="Delete"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={close}
        >
          {set.name} is no longer held against anything in <span className="mono">{set.scope}</span>, and its trials are
          forgotten.
        </Confirm>
      )}
    </>
  );
}

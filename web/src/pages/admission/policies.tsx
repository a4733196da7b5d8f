// What a failing control means for a request, by scope. The nearest scope counts, within it the strictest action.
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import { documentQuery } from "../../api/queries";
import { useMay } from "../../api/session";
import type { Assignment, Control, Page as ListPage } from "../../api/types";
import { ADMISSION } from "../../app/nav";
import { Page } from "../../app/page";
import type { Column } from "../../list/column";
import { ClusterName } from "../../parts/cluster-name";
import { Confirm } from "../../parts/confirm";
import { Code } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Section } from "../../parts/section";
import { Time } from "../../parts/time";
import settings from "../settings/settings.module.css";
import { SimpleList } from "../settings/simple-list";
import css from "./admission.module.css";
import { targetTitle } from "./assignment";
import { PolicyDialog } from "./policy-dialog";
import { ActionDot, ACTIONS } from "./verdict";

function useControls(): readonly Control[] {
  return useQuery(documentQuery<ListPage<Control>>("controls")).data?.items ?? [];
}

/** Where within its scope a policy holds; empty lists narrow nothing. */
function narrowing(assignment: Assignment): [name: string, value: string][] {
  const parts: [string, string][] = [
    ["Namespaces", assignment.namespaces.join(", ")],
    ["Except", assignment.excluded_namespaces.join(", ")],
    ["Kinds", assignment.kinds.join(", ")],
    ["Labels", assignment.labels.map(([name, value]) => `${name}=${value}`).join(", ")],
  ];
  return parts.filter(([, value]) => value !== "");
}

function columns(controls: readonly Control[]): readonly Column<Assignment>[] {
  return [
    {
      id: "action",
      title: "Action",
      width: "96px",
      card: "badge",
      cell: (assignment) => <ActionDot action={assignment.action} />,
    },
    {
      id: "target",
      title: "Policy",
      card: "title",
      cell: (assignment) => {
        const { title, second } = targetTitle(assignment.target, controls);
        return (
          <>
            {title}
            <span className={css.below}>{second}</span>
          </>
        );
      },
    },
    {
      id: "scope",
      title: "Scope",
      width: "24%",
      cell: (assignment) => (
        <ClusterName cluster={assignment.scope}>
          <span className="mono">{assignment.scope}</span>
        </ClusterName>
      ),
    },
    {
      id: "narrowing",
      title: "Only",
      width: "27%",
      cell: (assignment) => {
        const parts = narrowing(assignment);
        if (parts.length === 0) return <span className="muted">everything in it</span>;
        return parts.map(([name, value]) => (
          <div key={name}>
            <span className="muted">{name.toLowerCase()}</span> {value}
          </div>
        ));
      },
    },
    { id: "updated", title: "Changed", width: "112px", cell: (assignment) => <Time at={assignment.updated} /> },
  ];
}

export function Policies() {
  const mayEdit = useMay("edit_policy");
  const controls = useControls();
  const [creating, { open, close }] = useDisclosure(false);
  return (
    <Page
      title="Admission"
      lead="What a failing control means for a request."
      tabs={{ label: "Admission", items: ADMISSION }}
    >
      <div className={settings.bar}>
        <p>
          The nearest scope counts, within it the strictest action. Requests in kube-system, kube-public, kube-node-lease and
          Seawall's own namespace are never judged, and an update that adds no failing path is never refused.
        </p>
        {mayEdit && <Button onClick={open}>New policy</Button>}
      </div>
      <SimpleList<Assignment>
        noun="assignments"
        plural="policies"
        columns={columns(controls)}
        rowId={(assignment) => assignment.id}
        rowLabel={(assignment) => targetTitle(assignment.target, controls).title}
        drawer={(id, shut) => <PolicyDetail id={id} close={shut} controls={controls} />}
        empty={
          mayEdit
            ? "No request is judged yet. Begin with a framework such as pss-baseline and the action audit: it records, and refuses nothing."
            : "No request is judged yet. A Security Admin assigns a control or framework here."
        }
      />
      {creating && <PolicyDialog controls={controls} onClose={close} />}
    </Page>
  );
}

interface PolicyDetailProps {
  id: string;
  close: () => void;
  controls: readonly Control[];
}

function PolicyDetail({ id, close, controls }: PolicyDetailProps) {
  return (
    <Detail<Assignment>
      noun="assignments"
      id={id}
      close={close}
      title={(assignment) => targetTitle(assignment.target, controls).title}
      head={(assignment) => (
        <div className={css.row}>
          <ActionDot action={assignment.action} />
          <span className="mono muted">{assignment.target}</span>
        </div>
      )}
      actions={(assignment) => <PolicyActions assignment={assignment} controls={controls} onDeleted={close} />}
    >
      {(assignment) => (
        <>
          <Section title="What it does">
            <p className={css.text}>{ACTIONS.find((each) => each.value === assignment.action)?.means}</p>
            <Facts
              facts={[
                [
                  "Scope",
                  <ClusterName cluster={assignment.scope}>
                    <span className="mono">{assignment.scope}</span>
                  </ClusterName>,
                ],
                ...narrowing(assignment),
                ["Created", <Time at={assignment.created} />],
                ["Changed", <Time at={assignment.updated} />],
              ]}
            />
          </Section>
          <Section title="Parameters">
            {Object.keys(assignment.params).length === 0 ? (
              <span className="muted">All as the control has them.</span>
            ) : (
              <Code text={JSON.stringify(assignment.params, null, 2)} label="parameters" />
            )}
          </Section>
        </>
      )}
    </Detail>
  );
}

interface PolicyActionsProps {
  assignment: Assignment;
  controls: readonly Control[];
  onDeleted: () => void;
}

function PolicyActions({ assignment, controls, onDeleted }: PolicyActionsProps) {
  const mayEdit = useMay("edit_policy");
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"edit" | "delete" | null>(null);
  const remove = useMutation({
    mutationFn: () => call<undefined>("DELETE", `/assignments/${assignment.id}`, { revision: assignment.revision }),
    onSuccess: async () => {
      onDeleted();
      await client.invalidateQueries({ queryKey: ["assignments", "list"] });
    },
  });
  if (!mayEdit) return null;
  return (
    <>
      <Button onClick={() => setDialog("edit")}>Edit…</Button>
      <Button variant="default" onClick={() => setDialog("delete")}>
        Delete…
      </Button>
      {dialog === "edit" && <PolicyDialog assignment={assignment} controls={controls} onClose={() => setDialog(null)} />}
      {dialog === "delete" && (
        <Confirm
          title="Delete policy"
          action="Delete"
          pending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={() => setDialog(null)}
        >
          {targetTitle(assignment.target, controls).title} is no longer held against requests in{" "}
          <span className="mono">{assignment.scope}</span>, unless a policy of a scope above says so.
        </Confirm>
      )}
    </>
  );
}

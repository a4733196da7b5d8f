// Users' own policies: what they would do, and what they may.
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMay } from "../../api/session";
import type { PolicySetEntry } from "../../api/types";
import { ADMISSION } from "../../app/nav";
import { Page } from "../../app/page";
import { bytes, plural } from "../../format/text";
import type { Column } from "../../list/column";
import { ClusterName } from "../../parts/cluster-name";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import settings from "../settings/settings.module.css";
import { SimpleList } from "../settings/simple-list";
import css from "./admission.module.css";
import { PolicySetDetail } from "./policy-set";
import { PolicySetDialog } from "./policy-set-dialog";
import { refusals, undecided } from "./trial";
import { ActionDot } from "./verdict";

function Outcome({ trials, action }: Pick<PolicySetEntry, "trials" | "action">) {
  const refused = refusals(trials);
  if (refused === null && action === "off") return <span className="muted">not tried while off</span>;
  if (refused === null) return <Tag tone="warn">not tried yet</Tag>;
  const open = undecided(trials);
  return (
    <>
      {refused}
      <span className={css.below}>
        in {plural(trials.clusters, "cluster")}
        {open > 0 && `, ${open} could not be told`}
      </span>
    </>
  );
}

const COLUMNS: readonly Column<PolicySetEntry>[] = [
  { id: "action", title: "Action", sort: "action", width: "96px", card: "badge", cell: (set) => <ActionDot action={set.action} /> },
  {
    id: "name",
    title: "Policy set",
    sort: "name",
    card: "title",
    cell: (set) => (
      <>
        {set.name}
        <span className={css.below}>
          version {set.version} · {bytes(set.size)}
        </span>
      </>
    ),
  },
  {
    id: "scope",
    title: "Scope",
    sort: "scope",
    width: "24%",
    cell: (set) => (
      <ClusterName cluster={set.scope}>
        <span className="mono">{set.scope}</span>
      </ClusterName>
    ),
  },
  { id: "trials", title: "Would refuse", width: "27%", cell: (set) => <Outcome {...set} /> },
  { id: "updated", title: "Changed", sort: "updated", width: "112px", cell: (set) => <Time at={set.updated} /> },
];

export function PolicySets() {
  const mayEdit = useMay("edit_policy");
  const [creating, { open, close }] = useDisclosure(false);
  return (
    <Page
      title="Admission"
      lead="Your own ValidatingAdmissionPolicies and Gatekeeper constraints, as they are."
      tabs={{ label: "Admission", items: ADMISSION }}
    >
      <div className={settings.bar}>
        <p>
          Agents hold all that runs, and the requests that came lately, against each set. A set warns or refuses only after
          every connected cluster has tried its present text, and its policies never do more than their own bindings say.
        </p>
        {mayEdit && <Button onClick={open}>New policy set</Button>}
      </div>
      <SimpleList<PolicySetEntry>
        noun="policy-sets"
        plural="policy sets"
        columns={COLUMNS}
        rowId={(set) => set.id}
        rowLabel={(set) => set.name}
        drawer={(id, shut) => <PolicySetDetail id={id} close={shut} />}
        empty={
          mayEdit
            ? "Bring the policies you have: paste their YAML or choose files. They begin at audit, which refuses nothing."
            : "A Security Admin brings policies here."
        }
      />
      {creating && <PolicySetDialog onClose={close} />}
    </Page>
  );
}

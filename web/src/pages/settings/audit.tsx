import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { call } from "../../api/http";
import type { AuditEntry, AuditVerification } from "../../api/types";
import { SETTINGS } from "../../app/nav";
import { Page } from "../../app/page";
import { count } from "../../format/text";
import { exact } from "../../format/time";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { Tag } from "../../parts/tag";
import css from "./settings.module.css";

const COLUMNS: readonly Column<AuditEntry>[] = [
  { id: "position", title: "No.", width: "80px", align: "end", cell: (entry) => count(entry.position) },
  { id: "at", title: "When", width: "220px", cell: (entry) => <span className="nowrap">{exact(entry.at)}</span> },
  { id: "actor", title: "Who", width: "18%", cell: (entry) => entry.actor },
  { id: "action", title: "Action", width: "17%", card: "title", cell: (entry) => entry.action },
  { id: "target", title: "On", cell: (entry) => entry.target },
  {
    id: "detail",
    title: "Detail",
    hidden: true,
    cell: (entry) => <span className="mono">{JSON.stringify(entry.detail)}</span>,
  },
  {
    id: "hash",
    title: "Hash",
    width: "130px",
    cell: (entry) => (
      <span className="mono muted" title={entry.hash}>
        {entry.hash.slice(0, 12)}
      </span>
    ),
  },
];

export function Audit() {
  return (
    <Page title="Settings" tabs={{ label: "Settings", items: SETTINGS }}>
      <div className={css.bar}>
        <p>Every write, sign-in and export. Each entry carries the hash of the one before, so a changed one shows.</p>
        <Verify />
      </div>
      <List<AuditEntry>
        noun="audit"
        plural="entries"
        columns={COLUMNS}
        rowId={(entry) => String(entry.position)}
        rowLabel={(entry) => entry.action}
        empty={<Empty title="Nothing has been recorded yet" />}
      />
    </Page>
  );
}

function Verify() {
  const verify = useMutation({ mutationFn: () => call<AuditVerification>("GET", "/audit/verify") });
  return (
    <span className={css.row} role="status">
      {verify.error && <Failure error={verify.error} />}
      {verify.data?.ok === true && <Tag tone="good">{`${count(verify.data.entries)} entries verified`}</Tag>}
      {verify.data?.ok === false && <Tag tone="bad">{`broken at entry ${verify.data.broken_at ?? "?"}`}</Tag>}
      <Button variant="default" loading={verify.isPending} onClick={() => verify.mutate()}>
        Verify chain
      </Button>
    </span>
  );
}

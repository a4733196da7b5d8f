import { Link } from "@tanstack/react-router";
import { call } from "../../api/http";
import type { Enrolment as EnrolmentToken } from "../../api/types";
import { SETTINGS } from "../../app/nav";
import { Page } from "../../app/page";
import { plural, words } from "../../format/text";
import { exact } from "../../format/time";
import type { Column } from "../../list/column";
import { Code } from "../../parts/copy";
import { Dot } from "../../parts/tag";
import { Time, useNow } from "../../parts/time";
import { CreateEnrolment } from "./create-enrolment";
import { RowAction } from "./row-action";
import css from "./settings.module.css";
import { SimpleList } from "./simple-list";

function waits(waiting: EnrolmentToken["waiting"]): string {
  const [only, ...others] = waiting;
  return only !== undefined && others.length === 0 ? `${only.cluster_name} waits` : `${plural(waiting.length, "cluster")} wait`;
}

function EnrolmentState({ enrolment }: { enrolment: EnrolmentToken }) {
  const now = useNow();
  if (enrolment.revoked) return <Dot tone="neutral">Revoked</Dot>;
  if (enrolment.uses.length >= enrolment.uses_allowed) return <Dot tone="good">Used</Dot>;
  if (enrolment.expires < now) return <Dot tone="neutral">Expired</Dot>;
  if (enrolment.waiting.length > 0) return <Dot tone="warn">{waits(enrolment.waiting)}</Dot>;
  return <Dot tone="accent">Open</Dot>;
}

const COLUMNS: readonly Column<EnrolmentToken>[] = [
  {
    id: "scope",
    title: "Scope",
    card: "title",
    cell: (enrolment) => <span className="mono">{enrolment.scope}</span>,
  },
  { id: "state", title: "State", width: "180px", card: "badge", cell: (enrolment) => <EnrolmentState enrolment={enrolment} /> },
  {
    id: "uses",
    title: "Uses",
    width: "22%",
    cell: (enrolment) => (
      <>
        {enrolment.uses.length} of {enrolment.uses_allowed}
        <div className={css.second}>{enrolment.uses.map((use) => use.cluster_name).join(", ")}</div>
      </>
    ),
  },
  {
    id: "refused",
    title: "Refused",
    width: "22%",
    cell: (enrolment) =>
      enrolment.refused === 0 ? (
        "0"
      ) : (
        <>
          {plural(enrolment.refused, "time")}
          <div className={css.second}>
            {enrolment.refusals
              .slice(-3)
              .map((each) => `${words(each.reason)} (${each.cluster_name})`)
              .join(", ")}
          </div>
        </>
      ),
  },
  { id: "expires", title: "Expires", width: "116px", cell: (enrolment) => <Time at={enrolment.expires} /> },
  { id: "actions", title: "Actions", width: "220px", cell: (enrolment) => <Actions enrolment={enrolment} /> },
];

function Actions({ enrolment }: { enrolment: EnrolmentToken }) {
  const about = `the token for ${enrolment.scope} of ${exact(enrolment.created)}`;
  const waiting = enrolment.revoked ? [] : enrolment.waiting;
  return (
    <span className={css.row}>
      {waiting.map(({ cluster_uid, cluster_name }) => (
        <RowAction
          key={cluster_uid}
          label={waiting.length === 1 ? "Accept" : `Accept ${cluster_name}`}
          title="Accept registration"
          about={`${cluster_name} (${cluster_uid}) with ${about}`}
          noun="enrolments"
          harmless
          run={() => call("POST", `/enrolments/${enrolment.id}/accept`, { body: { cluster_uid } })}
        >
          This cluster or machine gets its certificate at its next attempt. One registration is let in.
        </RowAction>
      ))}
      {!enrolment.revoked && (
        <RowAction
          label="Revoke"
          title="Revoke token"
          about={about}
          noun="enrolments"
          run={() => call("DELETE", `/enrolments/${enrolment.id}`)}
        >
          The token is refused from now on. Agents that already enrolled keep their certificates.
        </RowAction>
      )}
    </span>
  );
}

export function Enrolment() {
  return (
    <Page title="Settings" tabs={{ label: "Settings", items: SETTINGS }}>
      <div className={css.bar}>
        <p>
          A token lets the first agent of a cluster or machine register. It carries the hash of the hub's CA, so the agent
          knows whom it talks to.
        </p>
        <CreateEnrolment
          label="New enrolment"
          answer={({ token, command }) => (
            <>
              <div className={css.once}>Copy it now: the token is not shown again.</div>
              <div>Run this on the machine to connect:</div>
              <Code text={command} label="command" />
              <div>The token by itself:</div>
              <Code text={token} label="token" />
              <div className="muted">
                For a cluster, <Link to="/clusters">Clusters</Link> gives the commands for Helm.
              </div>
            </>
          )}
        />
      </div>
      <SimpleList<EnrolmentToken>
        noun="enrolments"
        plural="enrolment tokens"
        columns={COLUMNS}
        rowId={(enrolment) => enrolment.id}
        rowLabel={(enrolment) => enrolment.scope}
        empty="Create one, then run the command it shows: seawall sensor --hub URL --token-file FILE."
      />
    </Page>
  );
}

// One alert: what happened, where, on which evidence, and what to do.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { address } from "../../api/http";
import { itemQuery } from "../../api/queries";
import type { Alert, AlertObject, Detection } from "../../api/types";
import { plural, shortDigest, words } from "../../format/text";
import { quote } from "../../filter/lex";
import { ClusterName } from "../../parts/cluster-name";
import { Code, Copy, Identifier } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Facts, type Fact } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Prose } from "../../parts/prose";
import { Section } from "../../parts/section";
import { SeverityBadge } from "../../parts/severity";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import { AlertActions } from "./actions";
import css from "./alerts.module.css";
import { ProcessTree } from "./process-tree";
import { AlertStateDot, REASONS } from "./state";
import { Timeline } from "./timeline";

export function AlertDetail({ id, close }: { id: string; close: () => void }) {
  return (
    <Detail<Alert>
      noun="alerts"
      id={id}
      close={close}
      title={(alert) => alert.title}
      head={(alert) => (
        <div className={css.row}>
          <SeverityBadge severity={alert.severity} />
          <AlertStateDot state={alert.state} />
          <span className="muted">
            {plural(alert.count, "firing")} · last <Time at={alert.last} />
          </span>
        </div>
      )}
      actions={(alert) => <AlertActions alert={alert} />}
    >
      {(alert) => <Evidence alert={alert} />}
    </Detail>
  );
}

function Evidence({ alert }: { alert: Alert }) {
  return (
    <>
      <Notices alert={alert} />
      <Section title="What happened" aside={<Copy text={JSON.stringify(alert, null, 2)} label="Copy alert as JSON" />}>
        <Prose text={alert.output} />
      </Section>
      <Section title="What to do">
        <Prose text={alert.remediation} />
      </Section>
      <Section title="Where">
        <Facts facts={whereFacts(alert)} />
      </Section>
      {alert.process.length > 0 && (
        <Section title="Process tree">
          <ProcessTree process={alert.process} />
        </Section>
      )}
      {alert.why.length > 0 && (
        <Section title="Why it fired">
          <table className={css.why}>
            <thead>
              <tr>
                <th scope="col">Condition that held</th>
                <th scope="col">Value</th>
              </tr>
            </thead>
            <tbody>
              {alert.why.map((why) => (
                <tr key={why.expression}>
                  <td>{why.expression}</td>
                  <td>{why.value ?? "–"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
      )}
      {(alert.object !== null || alert.actor !== null) && (
        <Section title="Evidence">
          <Facts facts={[...objectFacts(alert.object), ...actorFacts(alert)]} />
        </Section>
      )}
      <Section title="Timeline">
        <Timeline alert={alert} />
      </Section>
      <Section title="Detection">
        <Facts
          facts={[
            ["Id", <span className="mono">{alert.detection}</span>],
            ["Tactics", alert.tactics.map(words).join(", ")],
            ["Techniques", alert.mitre.join(", ")],
            ["Equivalent", alert.parity.join(", ")],
            ["Source", alert.source],
            ["Action", `${words(alert.action.mode)}, ${words(alert.action.result).toLowerCase()}`],
          ]}
        />
        <Rule id={alert.detection} />
      </Section>
      <Section title="API">
        <Code text={`curl -H "Authorization: Bearer $TOKEN" ${location.origin}${address(`/alerts/${alert.id}`)}`} label="API call" />
      </Section>
    </>
  );
}

function Notices({ alert }: { alert: Alert }) {
  const reason = REASONS.find((each) => each.value === alert.dismissal?.reason)?.label;
  return (
    <>
      {alert.lost_nearby > 0 && (
        <p className={css.notice}>
          {plural(alert.lost_nearby, "record was", "records were")} lost on this node within 60 s: evidence may be missing.
        </p>
      )}
      {alert.dismissal && (
        <p className={`${css.notice} ${css.quiet}`}>
          <strong>{reason}</strong>: {alert.dismissal.note}
          <br />
          <span className="muted">
            {alert.dismissal.by}, <Time at={alert.dismissal.at} />
          </span>
        </p>
      )}
      {alert.previous !== null && (
        <p className={`${css.notice} ${css.quiet}`}>
          It happened before:{" "}
          <Link to="/alerts" search={{ open: alert.previous }}>
            the earlier alert
          </Link>{" "}
          was closed.
        </p>
      )}
    </>
  );
}

function whereFacts({ where }: Alert): Fact[] {
  const image = where.image;
  return [
    ["Cluster", <ClusterName cluster={where.cluster} />],
    ["Node", where.node],
    [
      "Namespace",
      where.namespace !== null && (
        <Link to="/alerts" search={{ filter: `namespace:${quote(where.namespace)}` }}>
          {where.namespace}
        </Link>
      ),
    ],
    ["Workload", where.workload],
    ["Pod", where.pod !== null && <Identifier text={where.pod} label="pod name" />],
    ["Container", where.container],
    [
      "Container id",
      where.container_id !== null && (
        <Identifier text={where.container_id} shown={shortDigest(where.container_id)} label="container id" />
      ),
    ],
    [
      "Image",
      image && (
        <Link to="/images" search={{ filter: `name:${quote(image.name)}` }}>
          {image.name}
        </Link>
      ),
    ],
    ["Digest", image?.digest && <Identifier text={image.digest} shown={shortDigest(image.digest)} label="digest" />],
    ["Identity", where.identity !== "complete" && <Tag tone="warn">{words(where.identity)}</Tag>],
  ].map(([name, value]) => [name as string, value === false ? null : value] as Fact);
}

function objectFacts(object: AlertObject | null): Fact[] {
  if (!object) return [];
  switch (object.kind) {
    case "file":
      return [["File", <span className="mono">{object.path}</span>]];
    case "socket":
      return [
        ["Remote", <span className="mono">{`${object.remote}:${object.port}`}</span>],
        ["Protocol", object.protocol],
      ];
    case "executable":
      return [
        ["Executable", <span className="mono">{object.path}</span>],
        ["In the image", object.drifted === null ? "not known" : object.drifted ? "no: written after start" : "yes"],
      ];
    case "api":
      return [
        ["Verb", object.verb],
        ["Resource", object.resource],
        ["Namespace", object.namespace],
        ["Name", object.name],
      ];
  }
}

function actorFacts({ actor }: Alert): Fact[] {
  if (!actor) return [];
  return [
    ["User", actor.user],
    ["Groups", actor.groups.join(", ")],
    ["Address", actor.address],
    ["Client", actor.user_agent],
  ];
}

function Rule({ id }: { id: string }) {
  const [open, setOpen] = useState(false);
  const rule = useQuery({ ...itemQuery<Detection>("detections", id), enabled: open });
  return (
    <details className={css.rule} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Show the rule</summary>
      {rule.error && <Failure error={rule.error} />}
      {rule.data && <Code text={rule.data.text} label="rule" />}
    </details>
  );
}

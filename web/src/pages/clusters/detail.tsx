// One cluster: who reports for it, how far they see, what was lost, and what admission did.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { topQuery } from "../../api/queries";
import type { Agent, Cluster, CapabilityHealth, ClusterHealth } from "../../api/types";
import { quote } from "../../filter/lex";
import { count, plural, words } from "../../format/text";
import { Capabilities, type CapabilityRow } from "../../parts/capabilities";
import { Code, Identifier } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Freshness } from "../../parts/freshness";
import { Section } from "../../parts/section";
import { Tag } from "../../parts/tag";
import { Time, useNow } from "../../parts/time";
import { GapText } from "../admission/gap-text";
import { AgentStateDot } from "../inventory/agent-state";
import { Certificate } from "./certificate";
import css from "./clusters.module.css";
import { GapTag } from "./gap-tag";
import { AUDIT_COMMAND, droppedTotal, hereFilter, KINDS, policyCounts, recentGap, share, weakest } from "./status";

interface ClusterDetailProps {
  id: string;
  close: () => void;
  /** Of a cluster beyond the hub's first 500 there is none. */
  status: ClusterHealth | undefined;
}

export function ClusterDetail({ id, close, status }: ClusterDetailProps) {
  return (
    <Detail<Cluster>
      noun="clusters"
      id={id}
      close={close}
      title={(cluster) => cluster.name}
      head={() => (
        <div className={css.row}>
          <Freshness word={status?.freshness} />
          {status?.tier != null && <Tag>{`tier ${status.tier}`}</Tag>}
          {status && <GapTag status={status} what="admission gap" />}
        </div>
      )}
    >
      {(cluster) => (
        <>
          <Section title="About">
            <Facts
              facts={[
                ["Kind", KINDS[cluster.kind]],
                ["Version", cluster.version],
                ["Agents run", status?.versions.join(", ")],
                ["Certificate", status && <Certificate expires={status.certificate_expires} />],
                ["First seen", <Time at={cluster.first_seen} />],
                ["Last seen", <Time at={status ? status.last_seen : cluster.last_seen} />],
                ["UID", <Identifier text={cluster.uid} label="cluster UID" />],
                ["Scope", <span className="mono">{cluster.scope}</span>],
              ]}
            />
          </Section>
          <Section
            title="Agents"
            aside={status && status.agents.outdated > 0 && <Tag tone="warn">{`${count(status.agents.outdated)} outdated`}</Tag>}
          >
            <ClusterAgents cluster={cluster} />
          </Section>
          {status && <Status status={status} />}
          <Section title="Results">
            <ul className={css.plain}>
              <li>
                <Link to="/alerts" search={{ filter: `cluster:${quote(cluster.name)} state:active,in_progress` }}>
                  Open alerts
                </Link>
              </li>
              <li>
                <Link to="/inventory/assets" search={{ filter: `cluster:${quote(cluster.uid)}` }}>
                  Assets
                </Link>
              </li>
            </ul>
          </Section>
        </>
      )}
    </Detail>
  );
}

function Status({ status }: { status: ClusterHealth }) {
  return (
    <>
      <Section title="Capabilities" aside={<Link to="/availability">Availability</Link>}>
        <Capabilities more={["Agents", "Reasons"]} rows={status.capabilities.map(capabilityRow)} none="No sensor reports any." />
      </Section>
      <Section title="Dropped records">
        {status.dropped.length === 0 ? (
          <span className="muted">None since enrolment.</span>
        ) : (
          <>
            <p className={css.text}>
              {plural(droppedTotal(status), "record was", "records were")} lost since enrolment: evidence may be missing.
            </p>
            <Facts facts={status.dropped.map((each) => [each.class, count(each.count)] as const)} />
          </>
        )}
      </Section>
      {status.cluster.kind === "kubernetes" && (
        <>
          <Section title="Audit events">
            <AuditEvents status={status} />
          </Section>
          <Section title="Admission">
            <Admission status={status} />
          </Section>
        </>
      )}
    </>
  );
}

/** A drawer shows a few; the list of agents has all. */
const AGENTS_SHOWN = 50;

function ClusterAgents({ cluster }: { cluster: Cluster }) {
  const filter = hereFilter(cluster);
  const agents = useQuery(topQuery<Agent>("agents", AGENTS_SHOWN, { filter }));
  if (agents.error) return <Failure error={agents.error} retry={() => void agents.refetch()} />;
  if (agents.data?.items.length === 0) return <span className="muted">No agent reports for it.</span>;
  const more = (agents.data?.total.value ?? 0) - (agents.data?.items.length ?? 0);
  return (
    <>
      <ul className={css.agents}>
        {agents.data?.items.map((agent) => (
          <li key={agent.id}>
            <Link to="/inventory/agents" search={{ open: agent.id }}>
              {agent.name}
            </Link>
            <span className="muted">
              {words(agent.role)} {agent.version}
            </span>
            <AgentStateDot agent={agent} />
          </li>
        ))}
      </ul>
      {more > 0 && (
        <p className={css.text}>
          <Link to="/inventory/agents" search={{ filter }}>{`${count(more)} more`}</Link>
        </p>
      )}
    </>
  );
}

function capabilityRow(health: CapabilityHealth): CapabilityRow {
  const reasons = health.reasons.map((reason) => <div key={reason}>{reason}</div>);
  return { name: health.name, state: weakest(health), more: [share(health), reasons] };
}

function AuditEvents({ status }: { status: ClusterHealth }) {
  if (status.last_audit_event !== null) {
    return (
      <Facts
        facts={[
          ["Last", <Time at={status.last_audit_event} />],
          ["Received", count(status.audit_events)],
        ]}
      />
    );
  }
  return (
    <>
      <p className={css.notice}>No audit events received: detections on the API's use see nothing here.</p>
      <p className={css.text}>
        The API server sends them to the agent's webhook, which gets an address with the chart's{" "}
        <span className="mono">agent.audit.enabled=true</span>. This prints the kubeconfig for its{" "}
        <span className="mono">--audit-webhook-config-file</span>; <span className="mono">--print-audit-policy</span> prints
        the policy that goes with it:
      </p>
      <Code text={AUDIT_COMMAND} label="command" />
    </>
  );
}

function PolicySets({ sets }: { sets: ClusterHealth["admission"]["policy_sets"] }) {
  return (
    <>
      <Link to="/admission/policy-sets">{plural(sets.sets, "set")}</Link>: {policyCounts(sets)}
      {sets.untried > 0 && <span className="muted">, {sets.untried === sets.sets ? "none tried" : `${sets.untried} not tried`} here yet</span>}
    </>
  );
}

function Admission({ status: { cluster, admission }, status }: { status: ClusterHealth }) {
  const policies = policyCounts(admission);
  const gap = recentGap(status, useNow());
  const filter = hereFilter(cluster);
  return (
    <>
      {gap !== null && (
        <p className={css.notice}>
          Requests passed unjudged: <GapText gap={gap} />
        </p>
      )}
      <Facts
        facts={[
          [
            "Policies",
            policies === "" ? (
              <>
                nothing is judged: <Link to="/admission/policies">assign a control</Link>
              </>
            ) : (
              <Link to="/admission/policies">{policies}</Link>
            ),
          ],
          ["Your policies", admission.policy_sets.sets === 0 ? null : <PolicySets sets={admission.policy_sets} />],
          [
            "Last 24 h",
            <Link to="/admission/decisions" search={{ filter }}>
              {plural(admission.decisions_24h, "decision")}
            </Link>,
          ],
          [
            "Gaps",
            <>
              {admission.gaps_24h === 0 ? "none in 24 h" : `${plural(admission.gaps_24h, "gap")} in 24 h`}
              {admission.last_gap && (
                <>
                  ,{" "}
                  <Link to="/admission/gaps" search={{ filter }}>
                    the last <Time at={admission.last_gap.to} />
                  </Link>
                </>
              )}
            </>,
          ],
        ]}
      />
    </>
  );
}

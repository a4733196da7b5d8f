// One decision: what was asked, why it was answered so, and what heals the object.
import { Link } from "@tanstack/react-router";
import { address } from "../../api/http";
import type { DecidedControl, StoredDecision } from "../../api/types";
import { words } from "../../format/text";
import { exact } from "../../format/time";
import { ClusterName } from "../../parts/cluster-name";
import { Code, Copy } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Prose } from "../../parts/prose";
import { Section } from "../../parts/section";
import { SeverityBadge } from "../../parts/severity";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import css from "./admission.module.css";
import { byWeight, fixCommand, madeBy, resourceName } from "./decided";
import { ActionDot, VerdictDot } from "./verdict";

export function DecisionDetail({ id, close }: { id: string; close: () => void }) {
  return (
    <Detail<StoredDecision>
      noun="decisions"
      id={id}
      close={close}
      title={(decision) => `${words(decision.operation.toLowerCase())} ${resourceName(decision)}`}
      head={(decision) => (
        <div className={css.row}>
          <VerdictDot verdict={decision.verdict} />
          <span className="muted">
            <ClusterName cluster={decision.cluster} /> · <Time at={decision.time} />
          </span>
        </div>
      )}
    >
      {(decision) => <Body decision={decision} />}
    </Detail>
  );
}

function Body({ decision }: { decision: StoredDecision }) {
  const { resource } = decision;
  const maker = madeBy(decision);
  return (
    <>
      <Section
        title={`Failing controls (${decision.controls.length})`}
        aside={<Copy text={JSON.stringify(decision, null, 2)} label="Copy decision as JSON" />}
      >
        {maker !== null && (
          <p className={css.notice}>
            The object was made for <strong>{maker}</strong>: change that, or the next one fails again.
          </p>
        )}
        <div className={css.controls}>
          {byWeight(decision.controls).map((control) => (
            <Control key={control.control} decision={decision} control={control} />
          ))}
        </div>
      </Section>
      <Section title="Request">
        <Facts
          facts={[
            ["Operation", decision.operation],
            ["Kind", `${resource.kind} (${resource.apiVersion})`],
            ["Namespace", resource.namespace],
            ["Name", resource.name],
            ["Made for", maker],
            ["User", decision.user],
            ["Groups", decision.groups.join(", ")],
            ["Time", exact(decision.time)],
            ["Cluster", <ClusterName cluster={decision.cluster} />],
            ["Answered by", decision.agent],
          ]}
        />
      </Section>
      <Section title="API">
        <Code
          text={`curl -H "Authorization: Bearer $TOKEN" ${location.origin}${address(`/decisions/${decision.id}`)}`}
          label="API call"
        />
      </Section>
    </>
  );
}

function Control({ decision, control }: { decision: StoredDecision; control: DecidedControl }) {
  const fix = control.fix.length > 0 ? fixCommand(decision, control.fix) : null;
  return (
    <article className={css.failed} aria-label={control.title}>
      <div className={css.failedHead}>
        <SeverityBadge severity={control.severity} />
        <strong>{control.title}</strong>
        <span className="mono muted">{control.control}</span>
        <span className={css.action}>
          {control.already_failing && <Tag title="The update adds no failing path: told, never refused">failed before</Tag>}
          <ActionDot action={control.action} />
        </span>
      </div>
      <Prose text={control.message} />
      {control.paths.length > 0 && (
        <div>
          <h4>Failing paths</h4>
          <ul className={css.paths}>
            {control.paths.map((path) => (
              <li key={path}>{path}</li>
            ))}
          </ul>
        </div>
      )}
      {fix ? (
        <>
          <div>
            <h4>{fix.label}</h4>
            <Code text={fix.command} label={`kubectl command for ${control.control}`} />
          </div>
          <div>
            <h4>JSON Patch</h4>
            <Code text={JSON.stringify(control.fix, null, 2)} label={`JSON Patch for ${control.control}`} />
          </div>
        </>
      ) : (
        <div className="muted">No automatic fix is known to heal this one.</div>
      )}
      <div>
        <Link to="/admission/policies" search={{ open: control.assignment }}>
          The policy that asks for it
        </Link>
      </div>
    </article>
  );
}

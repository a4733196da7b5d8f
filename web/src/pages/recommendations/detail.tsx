// One piece of work: why, who has it until when, and each affected resource with its fix.
import { ClusterName } from "../../parts/cluster-name";
import { Code } from "../../parts/copy";
import type { RecommendationDetail as Item } from "../../api/types";
import { useMay } from "../../api/session";
import { plural, words } from "../../format/text";
import { date } from "../../format/time";
import { Detail } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Prose } from "../../parts/prose";
import { Section } from "../../parts/section";
import { SeverityBadge } from "../../parts/severity";
import { Time } from "../../parts/time";
import { Assign } from "./assign";
import { FindingItem } from "./finding";
import css from "./recommendations.module.css";
import { StatusDot } from "./status";

export function RecommendationDetail({ id, close }: { id: string; close: () => void }) {
  return (
    <Detail<Item>
      noun="recommendations"
      id={id}
      close={close}
      title={(item) => item.title}
      head={(item) => (
        <div className={css.row}>
          <SeverityBadge severity={item.severity} />
          <StatusDot status={item.status} />
          <span className="muted">{plural(item.affected, "affected resource")}</span>
        </div>
      )}
    >
      {(item) => <Body item={item} />}
    </Detail>
  );
}

function Body({ item }: { item: Item }) {
  const mayAssign = useMay("assign");
  const unhealthy = item.resources.filter((finding) => finding.state === "unhealthy").length;
  return (
    <>
      <Section title="Why it matters">
        <Prose text={item.description} />
      </Section>
      <Section title="What to do">
        <Prose text={item.remediation} />
      </Section>
      <Section title="Who and when">
        {mayAssign ? (
          <Assign key={item.revision} item={item} />
        ) : (
          <Facts
            facts={[
              ["Owner", item.owner ?? "nobody"],
              ["Due", item.due === null ? "no date" : date(item.due)],
            ]}
          />
        )}
      </Section>
      <Section title={`Affected resources (${item.affected})`}>
        {unhealthy === 0 && <p className="muted">No resource is unhealthy now.</p>}
        <ul className={css.resources}>
          {item.resources.map((finding) => (
            <li key={finding.id}>
              <FindingItem finding={finding} />
            </li>
          ))}
        </ul>
        {unhealthy > 0 && unhealthy < item.affected && (
          <p className="muted">The first {unhealthy} are shown; the export of findings has all.</p>
        )}
      </Section>
      <Section title="About">
        <Facts
          facts={[
            ["Rule", <span className="mono">{item.rule}</span>],
            ["Scope", <ClusterName cluster={item.scope}><span className="mono">{item.scope}</span></ClusterName>],
            ["Score group", item.score_group === null ? null : words(item.score_group)],
            ["Frameworks", item.frameworks.join(", ")],
            ["Healthy", String(item.healthy)],
            ["Exempt", String(item.exempt)],
            ["Unknown", String(item.unknown)],
            ["First seen", <Time at={item.first} />],
          ]}
        />
      </Section>
      <Section title="API">
        <Code
          text={`curl -H "Authorization: Bearer $TOKEN" ${location.origin}/api/v1/recommendations/${item.id}`}
          label="API call"
        />
      </Section>
    </>
  );
}

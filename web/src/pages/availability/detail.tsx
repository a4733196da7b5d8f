// One feature: where it is there, what it needs, and in which cluster it works or why not.
import { Link } from "@tanstack/react-router";
import type { Feature, Features } from "../../api/types";
import { words } from "../../format/text";
import { ClusterName } from "../../parts/cluster-name";
import { Sheet } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Prose } from "../../parts/prose";
import { Section } from "../../parts/section";
import css from "./availability.module.css";
import { Support, WorkingDot } from "./state";
import { claimed, environmentTitle, needText, reasonsIn, WORKING, worksIn } from "./works";

interface FeatureDetailProps {
  feature: Feature;
  features: Features;
  close: () => void;
}

export function FeatureDetail({ feature, features, close }: FeatureDetailProps) {
  return (
    <Sheet title={feature.title} close={close} head={<span className="muted">{words(feature.pillar)}</span>}>
      <Section title="What it does">
        <Prose text={feature.description} />
      </Section>
      <Section title="Environments">
        <Facts
          facts={[
            ...features.environments.map(
              (environment) => [environmentTitle(environment), <Support feature={feature} environment={environment} />] as const,
            ),
            ["Systems", feature.os.map(words).join(", ")],
          ]}
        />
      </Section>
      <Section title="In your clusters" aside={<Link to="/clusters">Clusters</Link>}>
        <Clusters feature={feature} features={features} />
      </Section>
      <Section title="Needs">
        {feature.needs.length === 0 ? (
          <span className="muted">Nothing of a cluster.</span>
        ) : (
          <Facts
            facts={feature.needs.map((name) => [name, needText(name, features.capabilities)] as const)}
          />
        )}
      </Section>
    </Sheet>
  );
}

function Clusters({ feature, features: { clusters } }: { feature: Feature; features: Features }) {
  if (!claimed(feature)) return <span className="muted">It is not there yet, so no cluster can have it.</span>;
  if (clusters.length === 0) return <span className="muted">No cluster is connected.</span>;
  const worstFirst = clusters.toSorted(
    (a, b) => WORKING.indexOf(worksIn(a, feature)) - WORKING.indexOf(worksIn(b, feature)) || a.cluster.localeCompare(b.cluster),
  );
  return (
    <ul className={css.clusters}>
      {worstFirst.map((cluster) => (
        <li key={cluster.id}>
          <WorkingDot working={worksIn(cluster, feature)} />
          <div>
            <ClusterName cluster={cluster.id}>
              <Link to="/clusters" search={{ open: cluster.id }}>
                {cluster.cluster}
              </Link>
            </ClusterName>
            {reasonsIn(cluster, feature).map((reason) => (
              <div key={reason} className={css.reason}>
                {reason}
              </div>
            ))}
          </div>
        </li>
      ))}
    </ul>
  );
}

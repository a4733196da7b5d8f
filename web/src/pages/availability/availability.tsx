// Which feature is there for which environment, and beside it whether it works in the clusters that are connected.
import { Skeleton, TextInput } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import { documentQuery } from "../../api/queries";
import type { Feature, Features } from "../../api/types";
import { Page } from "../../app/page";
import { plural, words } from "../../format/text";
import type { Column } from "../../list/column";
import { rowLink, useSearchState } from "../../list/list";
import { openRow, stepRow } from "../../list/step";
import { Table } from "../../list/table";
import list from "../../list/list.module.css";
import { ClusterName } from "../../parts/cluster-name";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { Tag } from "../../parts/tag";
import css from "./availability.module.css";
import { FeatureDetail } from "./detail";
import { Support, SUPPORT_STATES, WorkingDot } from "./state";
import { broken, byPillar, claimed, counts, environmentTitle, reasonsIn, worksIn } from "./works";

/** Nothing to prove where nothing is claimed. */
const NOT_YET = <span className="muted">–</span>;

/** Clusters with a column of their own; of more, the row counts and the drawer lists. */
const MAX_COLUMNS = 4;

function columns({ environments, clusters }: Features): readonly Column<Feature>[] {
  const title: Column<Feature> = {
    id: "feature",
    title: "Feature",
    card: "title",
    cell: (feature) => (
      <>
        {feature.title}
        <span className={css.description}>{feature.description}</span>
      </>
    ),
  };
  const supported = environments.map((environment): Column<Feature> => ({
    id: environment,
    title: environmentTitle(environment),
    width: "106px",
    cell: (feature) => <Support feature={feature} environment={environment} />,
  }));
  const connected: Column<Feature>[] =
    clusters.length > MAX_COLUMNS
      ? [
          {
            id: "clusters",
            title: `In ${plural(clusters.length, "cluster")}`,
            width: "150px",
            cell: (feature) =>
              !claimed(feature) ? NOT_YET : counts(feature, clusters).map((each) => (
                <div key={each.working}>
                  <WorkingDot {...each} />
                </div>
              )),
          },
        ]
      : clusters.map((cluster) => ({
          id: cluster.id,
          title: cluster.cluster,
          heading: (
            <Link to="/clusters" search={{ open: cluster.id }} className={css.cluster}>
              <ClusterName cluster={cluster.id}>{cluster.cluster}</ClusterName>
            </Link>
          ),
          width: "126px",
          cell: (feature) => (claimed(feature) ? <WorkingDot working={worksIn(cluster, feature)} /> : NOT_YET),
        }));
  return [title, ...supported, ...connected];
}

export function Availability() {
  const [search, change] = useSearchState();
  const features = useQuery(documentQuery<Features>("features"));
  const close = () => change({ open: undefined });
  useHotkeys([
    ["j", () => stepRow(1)],
    ["k", () => stepRow(-1)],
    ["Enter", () => openRow()],
  ]);
  const open = features.data?.features.find((feature) => feature.id === search.open);
  return (
    <Page
      title="Availability"
      lead="What this version does in which environment, and whether it works in your clusters."
      aside={features.data && <span className="muted">Version {features.data.version}</span>}
    >
      {features.isPending && <Skeleton height={320} radius="md" />}
      {features.error && <Failure error={features.error} retry={() => void features.refetch()} />}
      {features.data && <Matrix features={features.data} />}
      {features.data && open && <FeatureDetail feature={open} features={features.data} close={close} />}
    </Page>
  );
}

function Matrix({ features }: { features: Features }) {
  const [search, change] = useSearchState();
  const groups = byPillar(features.features, search.filter ?? "");
  const shown = columns(features);
  return (
    <>
      <div className={css.tools}>
        <Find text={search.filter ?? ""} onFind={(filter) => change({ filter })} />
        <ul className={css.legend} aria-label="Legend">
          {SUPPORT_STATES.map((state) => (
            <li key={state.title}>
              <Tag tone={state.tone}>{state.title}</Tag> {state.means}
            </li>
          ))}
        </ul>
      </div>
      <Broken features={features} />
      {features.clusters.length === 0 && (
        <p className={css.notice}>
          No cluster is connected, so nothing is known of what works here. <Link to="/clusters">Enrol a cluster</Link>
        </p>
      )}
      {groups.length === 0 && (
        <div className={list.surface}>
          <Empty title="No feature has these words" />
        </div>
      )}
      {groups.map(([pillar, rows]) => (
        <section key={pillar} className={css.pillar} aria-label={words(pillar)}>
          <h2>{words(pillar)}</h2>
          <div className={list.surface}>
            <Table<Feature>
              label={words(pillar)}
              columns={shown}
              rows={rows}
              rowId={(feature) => feature.id}
              rowLabel={(feature) => feature.title}
              link={rowLink((feature) => feature.id)}
              open={search.open}
            />
          </div>
        </section>
      ))}
    </>
  );
}

function Find({ text, onFind }: { text: string; onFind: (text: string) => void }) {
  const input = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => input.current?.focus()]]);
  return (
    <TextInput
      ref={input}
      className={css.find}
      aria-label="Find a feature"
      placeholder="Find a feature"
      leftSection={<IconSearch size={15} aria-hidden />}
      value={text}
      onChange={(event) => onFind(event.currentTarget.value)}
    />
  );
}

function Broken({ features }: { features: Features }) {
  const found = broken(features);
  if (found.length === 0) return null;
  return (
    <section className={css.broken} aria-labelledby="broken">
      <h2 id="broken">{plural(found.length, "feature")} claimed here, but not fully working</h2>
      <ul>
        {found.map(({ feature, clusters }) => (
          <li key={feature.id}>
            <Link to="." search={(before) => ({ ...before, open: feature.id })}>
              {feature.title}
            </Link>
            <span className={css.where}>
              {clusters.map((cluster) => (
                <span key={cluster.id} className={css.one}>
                  <WorkingDot working={worksIn(cluster, feature)} /> in{" "}
                  <ClusterName cluster={cluster.id}>{cluster.cluster}</ClusterName>
                  <span className="muted">{reasonsIn(cluster, feature).join("; ")}</span>
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

import { useQuery } from "@tanstack/react-query";
import { topQuery } from "../../api/queries";
import type { Asset, Finding } from "../../api/types";
import { INVENTORY } from "../../app/nav";
import { Page } from "../../app/page";
import { quote } from "../../filter/lex";
import { count } from "../../format/text";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { ClusterName } from "../../parts/cluster-name";
import { Identifier } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Empty } from "../../parts/empty";
import { Facts } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Remarks } from "../../parts/remarks";
import { Section } from "../../parts/section";
import { SeverityBadge } from "../../parts/severity";
import { Time } from "../../parts/time";
import { FindingStateDot } from "../recommendations/status";
import table from "../../parts/small-table.module.css";
import css from "./inventory.module.css";
import { useClusterName } from "./names";

function columns(clusterName: (uid: string) => string): readonly Column<Asset>[] {
  return [
    { id: "name", title: "Asset", sort: "name", card: "title", cell: (asset) => asset.name },
    { id: "kind", title: "Kind", sort: "kind", width: "140px", card: "badge", cell: (asset) => asset.kind },
    { id: "namespace", title: "Namespace", sort: "namespace", width: "150px", cell: (asset) => asset.namespace ?? "–" },
    { id: "cluster", title: "Cluster", width: "18%", cell: (asset) => <ClusterName cluster={asset.cluster}>{clusterName(asset.cluster)}</ClusterName> },
    { id: "owner", title: "Owner", sort: "owner", width: "18%", cell: (asset) => asset.owner ?? "–" },
    { id: "last", title: "Last seen", sort: "last", width: "112px", cell: (asset) => <Time at={asset.last_seen} /> },
    {
      id: "images",
      title: "Images",
      hidden: true,
      cell: (asset) => asset.images.map((image) => image.name).join(", ") || "–",
    },
    { id: "uid", title: "UID", hidden: true, cell: (asset) => <span className="mono">{asset.uid}</span> },
  ];
}

export function Assets() {
  const clusterName = useClusterName();
  return (
    <Page title="Inventory" tabs={{ label: "Inventory", items: INVENTORY }}>
      <List<Asset>
        noun="assets"
        plural="assets"
        columns={columns(clusterName)}
        rowId={(asset) => asset.id}
        rowLabel={(asset) => asset.name}
        opens
        drawer={(id, close) => <AssetDetail id={id} close={close} clusterName={clusterName} />}
        empty={
          <Empty title="No asset yet" command="seawall up --kubeconfig FILE">
            Workloads, nodes and the objects around them are listed once a cluster is watched.
          </Empty>
        }
      />
    </Page>
  );
}

interface AssetDetailProps {
  id: string;
  close: () => void;
  clusterName: (uid: string) => string;
}

function AssetDetail({ id, close, clusterName }: AssetDetailProps) {
  return (
    <Detail<Asset>
      noun="assets"
      id={id}
      close={close}
      title={(asset) => `${asset.kind}/${asset.name}`}
      head={(asset) => (
        <span className="muted">
          <ClusterName cluster={asset.cluster}>
            {[clusterName(asset.cluster), asset.namespace].filter(Boolean).join(" / ")}
          </ClusterName>
        </span>
      )}
    >
      {(asset) => (
        <>
          <Remarks problems={asset.coverage_problems ?? []} />
          <Section title="About">
            <Facts
              facts={[
                ["API version", asset.api_version],
                ["Owner", asset.owner],
                ["UID", <Identifier text={asset.uid} label="UID" />],
                ["Scope", <span className="mono">{asset.scope}</span>],
                ["First seen", <Time at={asset.first_seen} />],
                ["Last seen", <Time at={asset.last_seen} />],
              ]}
            />
          </Section>
          <Section title="Findings">
            <AssetFindings asset={asset} />
          </Section>
          {asset.images.length > 0 && (
            <Section title="Images">
              <ul className={css.plain}>
                {asset.images.map((image) => (
                  <li key={image.name}>{image.name}</li>
                ))}
              </ul>
            </Section>
          )}
          {asset.labels.length > 0 && (
            <Section title="Labels">
              <div className={css.labels}>
                {asset.labels.map(([name, value]) => (
                  <span key={name} className={css.label}>
                    {name}={value}
                  </span>
                ))}
              </div>
            </Section>
          )}
        </>
      )}
    </Detail>
  );
}

/** The worst; a node has hundreds of flaws. */
const FINDINGS_SHOWN = 100;

function AssetFindings({ asset }: { asset: Asset }) {
  const findings = useQuery(
    topQuery<Finding>("findings", FINDINGS_SHOWN, { filter: `resource_key:${quote(asset.uid)}`, sort: "-severity" }),
  );
  if (findings.error) return <Failure error={findings.error} />;
  if (findings.data?.items.length === 0) return <span className="muted">Nothing is known to be wrong here.</span>;
  const page = findings.data;
  return (
    <>
      <table className={table.table}>
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Finding</th>
            <th scope="col">State</th>
          </tr>
        </thead>
        <tbody>
          {findings.data?.items.map((finding) => (
            <tr key={finding.id}>
              <td>
                <SeverityBadge severity={finding.severity} />
              </td>
              <td>
                {finding.title} <span className="mono muted">{finding.rule}</span>
              </td>
              <td>
                <FindingStateDot state={finding.state} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {page !== undefined && page.total.value > page.items.length && (
        <p className="muted">
          The worst {page.items.length} of {count(page.total.value)}.
        </p>
      )}
    </>
  );
}

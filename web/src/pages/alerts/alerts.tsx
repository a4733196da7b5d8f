import { Button } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { documentQuery } from "../../api/queries";
import { useMay } from "../../api/session";
import { SEVERITIES, type Alert, type AlertAction, type AlertFacets } from "../../api/types";
import { Page } from "../../app/page";
import { plural, words } from "../../format/text";
import { Facets, type FacetGroup } from "../../list/facets";
import { List } from "../../list/list";
import { focusedRow } from "../../list/step";
import { ClusterName } from "../../parts/cluster-name";
import { Empty } from "../../parts/empty";
import { SeverityBadge } from "../../parts/severity";
import css from "./alerts.module.css";
import { BulkDialog, type Matching } from "./bulk";
import { COLUMNS } from "./columns";
import { AlertDetail } from "./detail";
import { ACTION_TITLES, ALERT_STATES, AlertStateDot, stateTitle } from "./state";

const BULK_ACTIONS: readonly AlertAction[] = ["take", "resolve", "dismiss", "reopen"];

export function Alerts() {
  const mayChange = useMay("alert_state");
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const [bulk, setBulk] = useState<{ action: AlertAction; matching: Matching } | null>(null);

  function toggle(id: string): void {
    const next = new Set(ids);
    if (!next.delete(id)) next.add(id);
    setIds(next);
  }

  function toggleFocused(): void {
    const id = focusedRow();
    if (id !== null && mayChange) toggle(id);
  }

  useHotkeys([["x", toggleFocused]]);

  return (
    <Page title="Alerts" lead="Events that need a person, as they arrive.">
      <List<Alert>
        noun="alerts"
        plural="alerts"
        columns={COLUMNS}
        rowId={(alert) => alert.id}
        rowLabel={(alert) => alert.title}
        opens
        facets={(filter, onFilter) => <AlertFacetList filter={filter} onFilter={onFilter} />}
        drawer={(id, close) => <AlertDetail id={id} close={close} />}
        {...(mayChange && {
          select: {
            selection: (rows: readonly Alert[]) => ({
              ids,
              toggle,
              all: () => setIds(rows.every((row) => ids.has(row.id)) ? new Set() : new Set(rows.map((row) => row.id))),
            }),
            bar: (filter: string, total: number) =>
              ids.size > 0 && (
                <div className={css.bulk} role="region" aria-label="Selected alerts">
                  <strong>{plural(ids.size, "alert")} selected</strong>
                  {BULK_ACTIONS.map((action) => (
                    <Button
                      key={action}
                      variant="default"
                      onClick={() => setBulk({ action, matching: { ids: [...ids] } })}
                    >
                      {ACTION_TITLES[action]}
                    </Button>
                  ))}
                  {filter !== "" && total > ids.size && (
                    <Button variant="subtle" onClick={() => setBulk({ action: "dismiss", matching: { filter } })}>
                      Dismiss all {total} that match
                    </Button>
                  )}
                  <Button variant="subtle" color="gray" onClick={() => setIds(new Set())}>
                    Clear
                  </Button>
                </div>
              ),
          },
        })}
        empty={
          <Empty title="No alerts yet" command="seawall up --kubeconfig FILE">
            Nothing has fired in your scopes. Detections run where a sensor runs; start one on a Linux node as root, or
            connect a cluster.
          </Empty>
        }
      />
      {bulk && (
        <BulkDialog
          {...bulk}
          onClose={() => setBulk(null)}
          onDone={() => {
            setBulk(null);
            setIds(new Set());
          }}
        />
      )}
    </Page>
  );
}

function AlertFacetList({ filter, onFilter }: { filter: string; onFilter: (filter: string) => void }) {
  const facets = useQuery({
    ...documentQuery<AlertFacets>("alerts/facets", { filter }),
    placeholderData: (before: AlertFacets | undefined) => before,
  });
  return <Facets groups={facets.data ? groups(facets.data) : []} filter={filter} onFilter={onFilter} />;
}

function groups(facets: AlertFacets): FacetGroup[] {
  const listed = (field: "detection" | "namespace" | "cluster", title: string): FacetGroup => ({
    field,
    title,
    values: facets[field].flatMap(({ value, title: shown, count }) => {
      if (value === null) return [];
      const name = shown ?? value;
      return [{ value, label: field === "cluster" ? <ClusterName cluster={value} /> : name, name, count }];
    }),
  });
  return [
    {
      field: "severity",
      title: "Severity",
      values: SEVERITIES.filter((severity) => (facets.severity[severity] ?? 0) > 0).map((severity) => ({
        value: severity,
        label: <SeverityBadge severity={severity} />,
        name: words(severity),
        count: facets.severity[severity] ?? 0,
      })),
    },
    {
      field: "state",
      title: "State",
      values: ALERT_STATES.filter((state) => (facets.state[state] ?? 0) > 0).map((state) => ({
        value: state,
        label: <AlertStateDot state={state} />,
        name: stateTitle(state),
        count: facets.state[state] ?? 0,
      })),
    },
    listed("detection", "Detection"),
    listed("namespace", "Namespace"),
    listed("cluster", "Cluster"),
  ];
}

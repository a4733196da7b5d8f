// A cluster as other pages name it, with a badge once its picture is old.
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { freshnessQuery } from "../api/clusters";
import css from "./cluster-name.module.css";
import { StaleTag } from "./freshness";

/** `cluster` is a name, UID, id or scope. */
export function StaleBadge({ cluster }: { cluster: string | null }) {
  const freshness = useQuery(freshnessQuery(cluster));
  return <StaleTag word={freshness.data ?? undefined} />;
}

interface ClusterNameProps {
  cluster: string | null;
  /** What stands there instead of the name. */
  children?: ReactNode;
}

export function ClusterName({ cluster, children = cluster }: ClusterNameProps) {
  if (cluster === null) return <span className="muted">–</span>;
  return (
    <span className={css.name}>
      <span className="wrap-anywhere">{children}</span>
      <StaleBadge cluster={cluster} />
    </span>
  );
}

/** `prod-1 / shop / Deployment/web`, the badge beside the cluster. */
export function ClusterPath({ cluster, below }: { cluster: string | null; below: readonly (string | null)[] }) {
  const rest = below.filter((part) => part !== null && part !== "").join(" / ");
  if (cluster === null) return <>{rest}</>;
  return (
    <span className={css.name}>
      <span className="wrap-anywhere">{rest === "" ? cluster : `${cluster} / ${rest}`}</span>
      <StaleBadge cluster={cluster} />
    </span>
  );
}

// Assets name their cluster by its UID; people know it by name.
import { useQuery } from "@tanstack/react-query";
import { topQuery } from "../../api/queries";
import type { Cluster } from "../../api/types";

/** As many as the hub gives at once; the UID stands in for the rest. */
const MAX_CLUSTERS = 500;

export function useClusterName(): (uid: string) => string {
  const clusters = useQuery(topQuery<Cluster>("clusters", MAX_CLUSTERS, {}));
  const names = new Map(clusters.data?.items.map((cluster) => [cluster.uid, cluster.name]));
  return (uid) => names.get(uid) ?? uid;
}

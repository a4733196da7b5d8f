// Where an alert happened, shortest first.
import type { Location } from "../../api/types";

/** `Deployment/web`, else the pod, container or node. */
export function subject(where: Location): string {
  return where.workload ?? where.pod ?? where.container ?? where.node ?? where.cluster;
}

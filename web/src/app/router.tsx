// Addresses of the console. Pages are loaded when first visited; Overview and Alerts come with the first load.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { parseSearch, readSearch, stringifySearch } from "../list/search";
import { Alerts } from "../pages/alerts/alerts";
import { Overview } from "../pages/overview/overview";
import { Gate } from "./gate";
import { NotFound } from "./not-found";

const root = createRootRoute({ component: Gate, notFoundComponent: NotFound, validateSearch: readSearch });

const page = <const P extends string>(path: P, component: Parameters<typeof createRoute>[0]["component"]) =>
  createRoute({ getParentRoute: () => root, path, component });

const forward = <const P extends string>(path: P, to: string) =>
  createRoute({
    getParentRoute: () => root,
    path,
    beforeLoad: ({ search }) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- how this router redirects
      throw redirect({ to, search });
    },
  });

const routes = root.addChildren([
  page("/", Overview),
  page("/alerts", Alerts),
  page("/recommendations", lazyRouteComponent(() => import("../pages/recommendations/recommendations"), "Recommendations")),
  page("/compliance", lazyRouteComponent(() => import("../pages/compliance/compliance"), "Compliance")),
  page("/compliance/$framework", lazyRouteComponent(() => import("../pages/compliance/framework"), "FrameworkPage")),
  page("/images", lazyRouteComponent(() => import("../pages/images/images"), "Images")),
  forward("/admission", "/admission/decisions"),
  page("/admission/decisions", lazyRouteComponent(() => import("../pages/admission/decisions"), "Decisions")),
  page("/admission/gaps", lazyRouteComponent(() => import("../pages/admission/gaps"), "Gaps")),
  page("/admission/policies", lazyRouteComponent(() => import("../pages/admission/policies"), "Policies")),
  page("/admission/policy-sets", lazyRouteComponent(() => import("../pages/admission/policy-sets"), "PolicySets")),
  page("/clusters", lazyRouteComponent(() => import("../pages/clusters/clusters"), "Clusters")),
  page("/availability", lazyRouteComponent(() => import("../pages/availability/availability"), "Availability")),
  forward("/inventory", "/inventory/assets"),
  // Where clusters stood before; addresses have been shared.
  forward("/inventory/clusters", "/clusters"),
  page("/inventory/agents", lazyRouteComponent(() => import("../pages/inventory/agents"), "Agents")),
  page("/inventory/assets", lazyRouteComponent(() => import("../pages/inventory/assets"), "Assets")),
  page("/inventory/packages", lazyRouteComponent(() => import("../pages/inventory/packages"), "Packages")),
  page("/exemptions", lazyRouteComponent(() => import("../pages/exemptions/exemptions"), "Exemptions")),
  forward("/settings", "/settings/account"),
  page("/settings/account", lazyRouteComponent(() => import("../pages/settings/account"), "Account")),
  page("/settings/users", lazyRouteComponent(() => import("../pages/settings/users"), "Users")),
  page("/settings/roles", lazyRouteComponent(() => import("../pages/settings/roles"), "Roles")),
  page("/settings/tokens", lazyRouteComponent(() => import("../pages/settings/tokens"), "Tokens")),
  page("/settings/enrolment", lazyRouteComponent(() => import("../pages/settings/enrolment"), "Enrolment")),
  page("/settings/audit", lazyRouteComponent(() => import("../pages/settings/audit"), "Audit")),
]);

export const router = createRouter({
  routeTree: routes,
  parseSearch,
  stringifySearch,
  scrollRestoration: false,
  defaultPreload: "intent",
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}

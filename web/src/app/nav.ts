// The console's sections, for the side bar, the palette and the tabs within a section.
import {
  IconBell,
  IconCertificate,
  IconChecklist,
  IconGauge,
  IconGridDots,
  IconServer2,
  IconSettings,
  IconShieldCheck,
  IconShieldOff,
  IconStack2,
  IconTopologyStar3,
  type Icon,
} from "@tabler/icons-react";
import type { ActionName } from "../api/types";

export interface Section {
  to: string;
  title: string;
  icon: Icon;
}

export const SECTIONS: readonly Section[] = [
  { to: "/", title: "Overview", icon: IconGauge },
  { to: "/alerts", title: "Alerts", icon: IconBell },
  { to: "/recommendations", title: "Recommendations", icon: IconChecklist },
  { to: "/compliance", title: "Compliance", icon: IconCertificate },
  { to: "/images", title: "Images", icon: IconStack2 },
  { to: "/admission", title: "Admission", icon: IconShieldCheck },
  { to: "/exemptions", title: "Exemptions", icon: IconShieldOff },
  { to: "/inventory", title: "Inventory", icon: IconServer2 },
  { to: "/clusters", title: "Clusters", icon: IconTopologyStar3 },
  { to: "/availability", title: "Availability", icon: IconGridDots },
  { to: "/settings", title: "Settings", icon: IconSettings },
];

export interface Tab {
  to: string;
  title: string;
  /** Without it the tab is not drawn. */
  needs?: ActionName;
}

export const INVENTORY: readonly Tab[] = [
  { to: "/inventory/assets", title: "Assets" },
  { to: "/inventory/packages", title: "Packages" },
  { to: "/inventory/agents", title: "Agents" },
];

export const ADMISSION: readonly Tab[] = [
  { to: "/admission/decisions", title: "Decisions" },
  { to: "/admission/gaps", title: "Gaps" },
  { to: "/admission/policies", title: "Policies" },
  { to: "/admission/policy-sets", title: "Your policies" },
];

export const SETTINGS: readonly Tab[] = [
  { to: "/settings/account", title: "Account" },
  { to: "/settings/users", title: "Users", needs: "users" },
  { to: "/settings/roles", title: "Roles", needs: "users" },
  { to: "/settings/tokens", title: "Tokens", needs: "users" },
  { to: "/settings/enrolment", title: "Enrolment", needs: "enrol" },
  { to: "/settings/audit", title: "Audit log", needs: "view_audit" },
];

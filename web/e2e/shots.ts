// Every page as a picture, light and dark, wide and narrow, full and empty; axe, Tab and overflow on each.
// `npm run shots [-- NAME…]` draws into `web/shots`; it fails on any fault.
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { audit, overflow, unreachable } from "./axe";
import { launch, openPage, signIn, type Scheme } from "./browser";
import { startHub } from "./hub/hub";
import { PASSWORD } from "./hub/people";

interface Shot {
  name: string;
  path: string;
  /** Clicks and keys before the picture. */
  before?: (page: Page) => Promise<void>;
  /** Nothing to see in an empty hub. */
  fullOnly?: boolean;
}

const firstRow = async (page: Page) => {
  await page.locator("main [data-row-link]").first().click();
  await page.getByRole("dialog").waitFor();
};

const openDialog = (button: string) => async (page: Page) => {
  await page.getByRole("button", { name: button }).first().click();
  await page.getByRole("dialog").last().waitFor();
};

const openLink = (name: string) => async (page: Page) => {
  await page.locator("main [data-row-link]").filter({ hasText: name }).first().click();
  await page.getByRole("dialog").waitFor();
};

const enrol = async (page: Page) => {
  await openDialog("Enrol a cluster")(page);
  await page.getByRole("button", { name: "Create enrolment token" }).click();
  await page.getByText("Copy the commands now").waitFor();
};

const denyPolicy = async (page: Page) => {
  await openLink("Container may gain privileges")(page);
  await page.getByRole("button", { name: "Edit…" }).click();
  const dialog = page.getByRole("dialog", { name: "Edit policy" });
  await dialog.getByRole("combobox", { name: "Action" }).click();
  await page.getByRole("option", { name: "Deny" }).click();
  // The click also gives Tab a place to go on from: that of the chosen option went with its list.
  await dialog.getByText("such objects would be refused").click();
};

/** Asks for deny, up to what the dialog says of it. */
const raiseSet = (name: string, says: string) => async (page: Page) => {
  await openLink(name)(page);
  await page.getByRole("button", { name: "Change action…" }).click();
  const dialog = page.getByRole("dialog", { name: /^Change action of/ });
  await dialog.getByRole("combobox", { name: "Action" }).click();
  await page.getByRole("option", { name: "Deny" }).click();
  // Gives Tab a place to go on from, see `denyPolicy`.
  await dialog.getByText(says).click();
};

const SHOTS: readonly Shot[] = [
  { name: "overview", path: "/" },
  { name: "alerts", path: "/alerts" },
  { name: "alerts-filtered", path: "/alerts?filter=severity:high,critical namespace:shop", fullOnly: true },
  { name: "alerts-wrong-filter", path: "/alerts?filter=sevrity:high", fullOnly: true },
  { name: "alert", path: "/alerts", before: firstRow, fullOnly: true },
  {
    name: "alert-dismiss",
    path: "/alerts",
    fullOnly: true,
    before: async (page) => {
      await firstRow(page);
      await page.getByRole("button", { name: "Dismiss…" }).click();
      await page.getByRole("dialog", { name: "Dismiss alert" }).waitFor();
    },
  },
  {
    name: "alerts-selected",
    path: "/alerts",
    fullOnly: true,
    before: async (page) => {
      for (const box of [1, 2, 3]) await page.getByRole("checkbox", { name: /^Select / }).nth(box).check();
    },
  },
  {
    name: "query-bar",
    path: "/alerts",
    fullOnly: true,
    before: async (page) => {
      await page.keyboard.press("/");
      await page.keyboard.type("severity:");
      await page.getByRole("option").first().waitFor();
    },
  },
  { name: "recommendations", path: "/recommendations" },
  {
    name: "recommendation",
    path: "/recommendations",
    fullOnly: true,
    before: async (page) => {
      await firstRow(page);
      await page.locator("summary").first().click();
    },
  },
  {
    name: "exemption-request",
    path: "/recommendations",
    fullOnly: true,
    before: async (page) => {
      await firstRow(page);
      await page.locator("summary").first().click();
      await page.getByRole("button", { name: "Exempt…" }).first().click();
      await page.getByRole("dialog", { name: "Grant an exemption" }).waitFor();
    },
  },
  { name: "compliance", path: "/compliance" },
  { name: "compliance-scope", path: "/compliance?scope=/org/shop/&sort=compliance", fullOnly: true },
  { name: "framework", path: "/compliance/cis-k8s" },
  { name: "framework-failing", path: "/compliance/cis-k8s?filter=state:failing", fullOnly: true },
  { name: "framework-unknown", path: "/compliance/cis-k8s?filter=state:unknown", fullOnly: true },
  { name: "framework-included", path: "/compliance/pss-restricted", fullOnly: true },
  { name: "framework-plain", path: "/compliance/nsa-cisa", fullOnly: true },
  { name: "framework-gone", path: "/compliance/nothing", fullOnly: true },
  { name: "framework-control", path: "/compliance/cis-k8s", before: openLink("Container may gain privileges"), fullOnly: true },
  { name: "images", path: "/images" },
  {
    name: "image",
    path: "/images?filter=1.8.2",
    fullOnly: true,
    before: async (page) => {
      await firstRow(page);
      await page.getByRole("button", { name: "CVE-2020-1747" }).click();
    },
  },
  ...["packages", "layers", "running"].map((tab) => ({
    name: `image-${tab}`,
    path: "/images?filter=1.8.2",
    fullOnly: true,
    before: async (page: Page) => {
      await firstRow(page);
      await page.getByRole("tab", { name: tab }).click();
    },
  })),
  { name: "clusters", path: "/clusters" },
  ...["prod-1", "staging", "edge-fra-02"].map((name) => ({
    name: `cluster-${name}`,
    path: "/clusters",
    fullOnly: true,
    before: openLink(name),
  })),
  {
    name: "cluster-audit",
    path: "/clusters",
    fullOnly: true,
    before: async (page) => {
      await openLink("staging")(page);
      await page.getByText("No audit events received").scrollIntoViewIfNeeded();
    },
  },
  { name: "cluster-enrol", path: "/clusters", before: openDialog("Enrol a cluster") },
  { name: "cluster-enrol-helm", path: "/clusters", before: enrol },
  {
    name: "cluster-enrol-machine",
    path: "/clusters",
    fullOnly: true,
    before: async (page) => {
      await enrol(page);
      await page.getByRole("tab", { name: "Machine" }).click();
    },
  },
  {
    name: "cluster-accept",
    path: "/clusters",
    fullOnly: true,
    before: async (page) => {
      await page.getByRole("button", { name: "Accept payments-eu" }).click();
      await page.getByRole("dialog", { name: "Accept registration" }).waitFor();
    },
  },
  { name: "decisions", path: "/admission/decisions" },
  { name: "decisions-filtered", path: "/admission/decisions?filter=verdict:denied namespace:shop", fullOnly: true },
  { name: "decision", path: "/admission/decisions", before: firstRow, fullOnly: true },
  { name: "decision-update", path: "/admission/decisions?filter=verdict:warned", before: firstRow, fullOnly: true },
  { name: "gaps", path: "/admission/gaps" },
  { name: "policies", path: "/admission/policies" },
  { name: "policy", path: "/admission/policies", before: openLink("Container may gain privileges"), fullOnly: true },
  { name: "policy-new", path: "/admission/policies", before: openDialog("New policy") },
  { name: "policy-deny", path: "/admission/policies", before: denyPolicy, fullOnly: true },
  {
    name: "policy-saved",
    path: "/admission/policies",
    fullOnly: true,
    before: async (page) => {
      await denyPolicy(page);
      await page.getByRole("button", { name: "Save policy" }).click();
      await page.getByText("Saved.").waitFor();
    },
  },
  { name: "policy-sets", path: "/admission/policy-sets" },
  { name: "policy-set", path: "/admission/policy-sets", before: openLink("ownership"), fullOnly: true },
  {
    name: "policy-set-text",
    path: "/admission/policy-sets",
    fullOnly: true,
    before: async (page) => {
      await openLink("ownership")(page);
      await page.getByRole("heading", { name: "Text" }).scrollIntoViewIfNeeded();
    },
  },
  { name: "policy-set-new", path: "/admission/policy-sets", before: openDialog("New policy set") },
  {
    name: "policy-set-refused",
    path: "/admission/policy-sets",
    before: async (page) => {
      await openDialog("New policy set")(page);
      await page.getByLabel("Name").fill("mine");
      await page.getByLabel("Policies").last().fill("replicas: 5");
      await page.getByRole("button", { name: "Create policy set" }).click();
      await page.getByText("The text was not taken.").waitFor();
    },
  },
  { name: "policy-set-untried", path: "/admission/policy-sets", before: raiseSet("registry rules", "Not yet."), fullOnly: true },
  { name: "policy-set-raise", path: "/admission/policy-sets", before: raiseSet("of prod", "Would have refused"), fullOnly: true },
  {
    name: "policy-set-replace",
    path: "/admission/policy-sets",
    fullOnly: true,
    before: async (page) => {
      await openLink("platform limits")(page);
      await page.getByRole("button", { name: "Replace text…" }).click();
      await page.getByLabel("Policies").last().fill("kind: ConstraintTemplate");
      await page.getByText("goes back from deny to audit").click();
    },
  },
  { name: "availability", path: "/availability" },
  { name: "availability-found", path: "/availability?filter=detections", fullOnly: true },
  { name: "feature", path: "/availability", before: openLink("Detections on connections"), fullOnly: true },
  { name: "agents", path: "/inventory/agents" },
  {
    name: "agent",
    path: "/inventory/agents",
    fullOnly: true,
    before: async (page) => {
      await page.getByRole("link", { name: "staging-node-a" }).click();
      await page.getByRole("dialog").waitFor();
    },
  },
  { name: "assets", path: "/inventory/assets" },
  { name: "asset", path: "/inventory/assets", before: firstRow, fullOnly: true },
  { name: "packages", path: "/inventory/packages" },
  { name: "exemptions", path: "/exemptions" },
  { name: "exemption", path: "/exemptions", before: firstRow, fullOnly: true },
  { name: "account", path: "/settings/account", fullOnly: true },
  { name: "users", path: "/settings/users", fullOnly: true },
  { name: "user-new", path: "/settings/users", fullOnly: true, before: openDialog("New user") },
  { name: "roles", path: "/settings/roles" },
  { name: "role-new", path: "/settings/roles", fullOnly: true, before: openDialog("Assign role") },
  { name: "tokens", path: "/settings/tokens" },
  { name: "token-new", path: "/settings/tokens", fullOnly: true, before: openDialog("New token") },
  { name: "enrolment", path: "/settings/enrolment" },
  {
    name: "enrolment-new",
    path: "/settings/enrolment",
    fullOnly: true,
    before: async (page) => {
      await openDialog("New enrolment")(page);
      await page.getByRole("button", { name: "Create enrolment token" }).click();
      await page.getByText("Copy it now").waitFor();
    },
  },
  { name: "audit", path: "/settings/audit", fullOnly: true },
  {
    name: "palette",
    path: "/",
    fullOnly: true,
    before: async (page) => {
      await page.keyboard.press("Control+k");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.type("web");
      await page.getByText("Found").waitFor();
    },
  },
  {
    name: "help",
    path: "/",
    fullOnly: true,
    before: async (page) => {
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
    },
  },
  { name: "not-found", path: "/nowhere", fullOnly: true },
];

const OUT = fileURLToPath(new URL("../shots/", import.meta.url));
const chosen = process.argv.slice(2);
const shots = chosen.length > 0 ? SHOTS.filter((shot) => chosen.includes(shot.name)) : SHOTS;
mkdirSync(OUT, { recursive: true });
const browser = await launch();
let pictures = 0;
const failures: string[] = [];

/** Requests and fonts are done, and nothing moves any more. */
async function settle(page: Page): Promise<void> {
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(350);
}

async function take(page: Page, name: string, faults: string[]): Promise<void> {
  await settle(page);
  await page.screenshot({ path: `${OUT}${name}.png` });
  pictures += 1;
  const found = [...faults.splice(0), ...(await overflow(page)), ...(await audit(page)), ...(await unreachable(page))];
  failures.push(...found.map((each) => `${name}: ${each}`));
}

for (const fill of ["full", "empty"] as const) {
  const hub = await startHub({ empty: fill === "empty" });
  for (const scheme of ["light", "dark"] satisfies Scheme[]) {
    for (const width of [1440, 390]) {
      const suffix = `${fill}-${scheme}-${width}`;
      const { page, faults } = await openPage(browser, hub.url, { width, scheme });
      if (fill === "full" && chosen.length === 0) {
        await page.goto(hub.url);
        await page.getByLabel("User").waitFor();
        await take(page, `sign-in-${suffix}`, faults);
        await signIn(page, hub.url, "first", PASSWORD);
        await take(page, `password-change-${suffix}`, faults);
        await page.context().clearCookies();
      }
      await signIn(page, hub.url, "owner", PASSWORD);
      for (const shot of shots) {
        if (fill === "empty" && shot.fullOnly === true) continue;
        const name = `${shot.name}-${suffix}`;
        try {
          await page.goto(hub.url + shot.path);
          await page.locator("main h1, main p").first().waitFor();
          await settle(page);
          await shot.before?.(page);
          await take(page, name, faults);
        } catch (error) {
          failures.push(`${name}: ${String(error).split("\n").slice(0, 3).join(" ")}`);
        }
      }
      await page.context().close();
    }
  }
  await hub.close();
}

await browser.close();
console.log(`${pictures} pictures in web/shots, ${failures.length} faults`);
for (const failure of failures) console.log(`  ${failure}`);
if (failures.length > 0) process.exit(1);

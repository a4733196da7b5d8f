// The way of an alert through the console, as people take it: sign in, change the password, see an alert arrive,
// dismiss it as a Security Admin; a Security Reader has no such button and is refused.
//
// Without settings it runs against the mock hub. Against a real one:
//   SEAWALL_URL       such as https://127.0.0.1:8443
//   SEAWALL_USER      an Owner of the root; default `owner`
//   SEAWALL_PASSWORD  as printed at the first start; changed when the hub asks for it
//   SEAWALL_NEW_PASSWORD  what it is changed to
//   SEAWALL_TRIGGER   a shell command that makes a detection fire; without it somebody else has to, within two minutes
//   SEAWALL_SHOTS     a directory for pictures of a real hub's pages
import { spawn } from "node:child_process";
import type { Browser, Page } from "playwright-core";
import { audit } from "./axe";
import { launch, openPage, signIn } from "./browser";
import { startHub } from "./hub/hub";
import { PASSWORD } from "./hub/people";

/** An alert is on the screen this long, in milliseconds, after it was stored. Source: issue 3, Show 2. */
const LIVE_WITHIN = 2_000;
/** For a real trigger: the container has to start and the shell to connect. */
const TRIGGER_WITHIN = 120_000;

const mock = process.env.SEAWALL_URL === undefined ? await startHub() : null;
const base = (process.env.SEAWALL_URL ?? mock?.url ?? "").replace(/\/$/, "");
const owner = { user: process.env.SEAWALL_USER ?? (mock ? "first" : "owner"), password: process.env.SEAWALL_PASSWORD ?? PASSWORD };
const changed = process.env.SEAWALL_NEW_PASSWORD ?? `changed ${PASSWORD}`;

function step(text: string): void {
  console.log(`ok  ${text}`);
}

function must(holds: boolean, text: string): void {
  if (!holds) throw new Error(text);
  step(text);
}

/** Calls the API as the page's own user. */
function api(page: Page, method: string, path: string, body: unknown = {}): Promise<{ status: number; body: { id: string } }> {
  return page.evaluate(
    async ([method, path, body]) => {
      const answer = await fetch(`/api/v1${path}`, {
        method,
        headers: { "Content-Type": "application/json", "Idempotency-Key": crypto.randomUUID() },
        body: JSON.stringify(body),
      });
      return { status: answer.status, body: (await answer.json()) as { id: string } };
    },
    [method, path, body] as const,
  );
}

/** Signs in and changes the password where the hub demands it. */
async function enter(page: Page, user: string, password: string, next: string): Promise<void> {
  await signIn(page, base, user, password);
  const demand = page.getByRole("heading", { name: "Choose a new password" });
  if (!(await demand.isVisible())) return;
  await page.getByLabel("Current password").fill(password);
  await page.getByLabel("New password", { exact: true }).fill(next);
  await page.getByLabel("New password again").fill(next);
  await page.getByRole("button", { name: "Change password" }).click();
  await page.getByRole("navigation", { name: "Main" }).first().waitFor();
  step(`${user} had to change the password, and did`);
}

async function newUser(page: Page, name: string, role: string): Promise<void> {
  if (mock) return;
  const user = await api(page, "POST", "/users", { name, password: PASSWORD });
  must(user.status === 201, `user ${name} created`);
  const assigned = await api(page, "POST", "/roles", { principal: { kind: "user", id: user.body.id }, role, scope: "/org/", namespaces: null });
  must(assigned.status === 201, `${name} is ${role}`);
}

function trigger(): void {
  if (mock) mock.fire();
  else if (process.env.SEAWALL_TRIGGER === undefined) console.log("waiting for an alert: make a detection fire now");
  else spawn("sh", ["-c", process.env.SEAWALL_TRIGGER], { stdio: "inherit" });
}

/** The first row changes while the page stays the same document. Returns the alert's id. */
async function arrives(page: Page): Promise<string> {
  await page.goto(`${base}/alerts`);
  await page.locator('[data-stream="live"]').first().waitFor();
  await page.getByRole("heading", { name: "Alerts" }).waitFor();
  const before = await topOfList(page);
  await page.evaluate(() => ((window as unknown as Record<string, boolean>).sameDocument = true));
  const start = Date.now();
  trigger();
  await page.waitForFunction(
    (before) => {
      const row = document.querySelector<HTMLElement>("main [data-row]");
      return row !== null && `${row.dataset.row ?? ""} ${row.querySelector('[data-align="end"]')?.textContent ?? ""}` !== before;
    },
    before,
    { timeout: mock ? LIVE_WITHIN : TRIGGER_WITHIN, polling: 20 },
  );
  step(`an alert appeared ${Date.now() - start} ms after the trigger`);
  must(await page.evaluate(() => (window as unknown as Record<string, boolean>).sameDocument === true), "without a reload");
  const [id = ""] = (await topOfList(page)).split(" ");
  return id;
}

/** Id and count of the newest alert: a repeat joins the open alert and raises its count. */
function topOfList(page: Page): Promise<string> {
  return page.evaluate(() => {
    const row = document.querySelector<HTMLElement>("main [data-row]");
    return row === null ? "" : `${row.dataset.row ?? ""} ${row.querySelector('[data-align="end"]')?.textContent ?? ""}`;
  });
}

async function dismiss(page: Page, id: string): Promise<void> {
  await page.goto(`${base}/alerts?open=${id}`);
  await page.getByRole("button", { name: "Dismiss…" }).click();
  const dialog = page.getByRole("dialog", { name: "Dismiss alert" });
  must(await dialog.getByRole("button", { name: "Dismiss alert" }).isDisabled(), "dismissing needs a reason and a note");
  await dialog.getByRole("combobox", { name: "Reason" }).click();
  await page.getByRole("option", { name: "Test" }).click();
  await dialog.getByLabel("Note").fill("A planned exercise.");
  await dialog.getByRole("button", { name: "Dismiss alert" }).click();
  await page.getByText("A planned exercise.").waitFor();
  step("dismissed by a Security Admin, with reason and note");
}

async function refused(page: Page, id: string): Promise<void> {
  await page.goto(`${base}/alerts?open=${id}`);
  await page.getByRole("heading", { name: "What happened" }).waitFor();
  for (const name of ["Take", "Resolve", "Dismiss…", "Reopen"]) {
    must((await page.getByRole("button", { name, exact: true }).count()) === 0, `a Security Reader has no “${name}”`);
  }
  const answer = await api(page, "POST", `/alerts/${id}/dismiss`, { reason: "test", note: "no" });
  must(answer.status === 403, "and the hub refuses with 403");
  for (const [path, name] of [["/clusters", "Enrol a cluster"], ["/admission/policies", "New policy"]] as const) {
    await page.goto(base + path);
    await page.locator("main h1").waitFor();
    must((await page.getByRole("button", { name, exact: true }).count()) === 0, `a Security Reader has no “${name}”`);
  }
}

async function pictures(page: Page): Promise<void> {
  const directory = process.env.SEAWALL_SHOTS;
  if (directory === undefined) return;
  for (const path of ["/", "/alerts", "/recommendations", "/images", "/clusters", "/admission/decisions", "/admission/gaps", "/admission/policies", "/availability", "/inventory/agents", "/inventory/assets", "/inventory/packages", "/exemptions", "/settings/users", "/settings/enrolment", "/settings/audit"]) {
    await page.goto(base + path);
    await page.locator("main h1").waitFor();
    await page.waitForTimeout(600);
    await page.screenshot({ path: `${directory}/real${path.replaceAll("/", "-")}.png` });
    const found = await audit(page);
    must(found.length === 0, `axe finds nothing serious on ${path} ${found.join("; ")}`);
  }
}

async function as<T>(browser: Browser, user: string, password: string, work: (page: Page) => Promise<T>): Promise<T> {
  const { page, faults } = await openPage(browser, base, { width: 1440, scheme: "light" });
  await enter(page, user, password, changed);
  const result = await work(page);
  must(faults.length === 0, `${user}'s pages ran without a fault ${faults.join("; ")}`);
  await page.context().close();
  return result;
}

/** The first cluster comes in while its commands are on the screen: they stay. */
async function enrols(browser: Browser): Promise<void> {
  const hub = await startHub({ empty: true });
  const { page, faults } = await openPage(browser, hub.url, { width: 1440, scheme: "light" });
  await signIn(page, hub.url, "owner", PASSWORD);
  await page.goto(`${hub.url}/clusters`);
  const none = page.getByText("No cluster is connected");
  await none.waitFor();
  await page.getByRole("button", { name: "Enrol a cluster" }).last().click();
  await page.getByRole("button", { name: "Create enrolment token" }).click();
  const commands = page.getByText("Copy the commands now");
  await commands.waitFor();
  hub.register();
  await none.waitFor({ state: "detached" });
  must(await commands.isVisible(), "the commands stay when the first cluster comes in");
  must(faults.length === 0, `enrolling ran without a fault ${faults.join("; ")}`);
  await page.context().close();
  await hub.close();
}

const suffix = mock ? "" : `-${Date.now() % 1_000_000}`;
const [admin, reader] = [`admin${suffix}`, `reader${suffix}`];
const browser = await launch();
try {
  const id = await as(browser, owner.user, owner.password, async (page) => {
    step("signed in");
    await newUser(page, admin, "security_admin");
    await newUser(page, reader, "security_reader");
    const arrived = await arrives(page);
    await pictures(page);
    return arrived;
  });
  await as(browser, admin, PASSWORD, (page) => dismiss(page, id));
  await as(browser, reader, PASSWORD, (page) => refused(page, id));
  if (mock) await enrols(browser);
} finally {
  await browser.close();
  await mock?.close();
}

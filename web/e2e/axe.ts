// What axe finds serious or worse on a page as it stands.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

const SOURCE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function audit(page: Page): Promise<string[]> {
  // `evaluate` runs outside the page's policy, so axe needs no exception in it.
  await page.evaluate(SOURCE);
  const results = await page.evaluate<AxeResults>("axe.run(document, { resultTypes: ['violations'] })");
  return results.violations
    .filter((violation) => violation.impact === "serious" || violation.impact === "critical")
    .flatMap((violation) =>
      violation.nodes.slice(0, 4).map((node) => `${violation.id}: ${node.html.slice(0, 160)} ${node.failureSummary?.split("\n").slice(1, 2).join("").trim() ?? ""}`),
    );
}

/** Visible controls that Tab never reaches. Those within a roving group count as reached with one of the group. */
export async function unreachable(page: Page): Promise<string[]> {
  await page.evaluate(() => {
    // Dialogs stand in the order they opened; the last one keeps the focus within itself.
    const modal = [...document.querySelectorAll<HTMLElement>('[role="dialog"]')].at(-1);
    const all = (modal ?? document).querySelectorAll<HTMLElement>("a[href], button, input, select, textarea, summary");
    for (const element of all) {
      const roving = element.closest('[role="tablist"], [role="radiogroup"], .mantine-Spotlight-actionsList');
      const off = element.matches(":disabled, [type=hidden], [aria-hidden=true]") || element.closest("[aria-hidden=true], [inert]");
      // A password field's eye is a pointer's shortcut; Mantine takes it out of the tab order.
      const eye = element.tabIndex === -1 && element.closest(".mantine-PasswordInput-section");
      const visible = element.checkVisibility({ checkOpacity: true, visibilityProperty: true });
      if (visible && !off && !eye && !roving) element.dataset.mustReach = element.outerHTML.slice(0, 120);
    }
    (document.activeElement as HTMLElement | null)?.blur();
  });
  // Where the first Tab lands depends on what had the focus, so a second round may find what the first began behind.
  for (let round = 0; round < 2; round += 1) {
    await tabAround(page);
    const left = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLElement>("[data-must-reach]")].map((element) => `Tab does not reach ${element.dataset.mustReach ?? ""}`),
    );
    if (left.length === 0 || round === 1) return left;
  }
  return [];
}

/** More stops than any page has. */
const MAX_STOPS = 400;

/** Presses Tab until an element comes again. */
async function tabAround(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const element of document.querySelectorAll("[data-reached]")) element.removeAttribute("data-reached");
  });
  for (let stop = 0; stop < MAX_STOPS; stop += 1) {
    await page.keyboard.press("Tab");
    const again = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement | null;
      if (element === null || element === document.body) return false;
      // A date field takes several Tabs for itself: only another element that was seen before ends the round.
      const stays = element.dataset.last === "yes";
      document.querySelector<HTMLElement>("[data-last]")?.removeAttribute("data-last");
      element.dataset.last = "yes";
      const seen = element.dataset.reached === "yes" && !stays;
      element.dataset.reached = "yes";
      delete element.dataset.mustReach;
      return seen;
    });
    if (again) return;
  }
}

/** Text that is wider than the page: something sticks out. */
export async function overflow(page: Page): Promise<string[]> {
  const { scrollWidth, clientWidth } = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return { scrollWidth, clientWidth };
  });
  return scrollWidth > clientWidth + 1 ? [`the page is ${scrollWidth} px wide in a window of ${clientWidth} px`] : [];
}

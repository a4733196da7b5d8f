// `j` and `k`: the cursor of a list is the browser's own focus, so Enter, screen readers and scrolling follow it.

function links(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("main [data-row-link]")];
}

function current(all: readonly HTMLElement[]): number {
  const row = document.activeElement?.closest("[data-row]");
  return all.findIndex((link) => link.closest("[data-row]") === row);
}

/** Focuses the next (`1`) or previous (`-1`) row; the first one where none has the focus. */
export function stepRow(by: 1 | -1): void {
  const all = links();
  const at = current(all);
  const next = all[at === -1 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))];
  next?.focus();
  next?.closest("[data-row]")?.scrollIntoView({ block: "nearest" });
}

/** Opens the row of the focus where the focus is not on the link itself, which opens on its own. */
export function openRow(): void {
  const all = links();
  const link = all[current(all)];
  if (document.activeElement !== link && document.activeElement?.tagName !== "BUTTON") link?.click();
}

/** The id of the row that has the focus. */
export function focusedRow(): string | null {
  return document.activeElement?.closest<HTMLElement>("[data-row]")?.dataset.row ?? null;
}

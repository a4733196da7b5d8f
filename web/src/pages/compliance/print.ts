/** Prints the page as it stands. Paper is light, whatever the screen is. */
export function print(): void {
  const root = document.documentElement;
  const scheme = root.getAttribute("data-mantine-color-scheme");
  root.setAttribute("data-mantine-color-scheme", "light");
  addEventListener("afterprint", () => root.setAttribute("data-mantine-color-scheme", scheme ?? "light"), { once: true });
  window.print();
}

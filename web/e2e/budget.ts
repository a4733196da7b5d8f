// Fails the build when what the first page loads is over the budget: entry script, its static imports, styles, font.
import { readdirSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

/** KiB, gzip. Source: platform.md, "Targets". */
const BUDGET = 300;
const DIST = new URL("../dist/", import.meta.url);

const index = readFileSync(new URL("index.html", DIST), "utf8");
const first = new Set(index.match(/assets\/[^"]+/g) ?? []);
for (const file of first) {
  if (!file.endsWith(".js")) continue;
  // A chunk names its static imports at its top: `import{…}from"./name.js"`.
  const text = readFileSync(new URL(file, DIST), "utf8");
  for (const [, name] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) first.add(`assets/${name ?? ""}`);
}
for (const name of readdirSync(new URL("assets/", DIST))) if (name.endsWith(".woff2")) first.add(`assets/${name}`);

let total = gzipSync(index).length;
for (const file of first) total += gzipSync(readFileSync(new URL(file, DIST))).length;
const kib = total / 1024;
console.log(`first load: ${kib.toFixed(0)} KiB gzip in ${first.size + 1} files, budget ${BUDGET}`);
if (kib > BUDGET) process.exit(1);

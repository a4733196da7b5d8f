// Fixtures are the same at every run: ids and digests come from a seeded generator (mulberry32).

let state = 0x5ea_a11;

function next(): number {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
}

function hex(digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(next() * 16).toString(16)).join("");
}

export function uuid(): string {
  return `0192${hex(4)}-${hex(4)}-7${hex(3)}-9${hex(3)}-${hex(12)}`;
}

export function digest(): string {
  return `sha256:${hex(64)}`;
}

export function containerId(): string {
  return hex(64);
}

export function below(bound: number): number {
  return Math.floor(next() * bound);
}

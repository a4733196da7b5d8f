// Times for people: how long ago, and exactly when.
import type { Millis } from "../api/types";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `now`, `4 min ago`, `in 3 d`; a date from 30 days on. */
export function relative(time: Millis, now: Millis): string {
  const span = Math.abs(now - time);
  if (span < 10_000) return "now";
  if (span >= 30 * DAY) return date(time);
  const text = duration(span);
  return time > now ? `in ${text}` : `${text} ago`;
}

/** The largest fitting unit, cut off: `59 s`, `4 min`, `3 h`, `12 d`. */
export function duration(millis: number): string {
  if (millis < MINUTE) return `${Math.floor(millis / 1_000)} s`;
  if (millis < HOUR) return `${Math.floor(millis / MINUTE)} min`;
  if (millis < DAY) return `${Math.floor(millis / HOUR)} h`;
  return `${Math.floor(millis / DAY)} d`;
}

/** `2026-11-25`, UTC. */
export function date(time: Millis): string {
  return new Date(time).toISOString().slice(0, 10);
}

/** `2026-11-25 02:17:31.540 UTC`: the same text for everyone who shares it. */
export function exact(time: Millis): string {
  return `${new Date(time).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** `02:17:31.540`, UTC. */
export function clock(time: Millis): string {
  return new Date(time).toISOString().slice(11, 23);
}

/** `2026-11-25 02:17:31 UTC`: exact enough for what people compare by eye. */
export function toSecond(time: Millis): string {
  return `${exact(time).slice(0, 19)} UTC`;
}

/** `2026-11-25 02:17:31 – 02:18:12 UTC`; the second date only where it is another. */
export function span(from: Millis, to: Millis): string {
  const end = date(from) === date(to) ? clock(to).slice(0, 8) : exact(to).slice(0, 19);
  return `${exact(from).slice(0, 19)} – ${end} UTC`;
}

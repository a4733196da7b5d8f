// Severity is a shape, a word and a colour: it reads without the last.
import type { ReactElement } from "react";
import { SEVERITIES, type Counts, type Severity } from "../api/types";
import { count, words } from "../format/text";
import css from "./severity.module.css";

/** Fewer corners are milder: octagon, triangle, diamond, disc, ring; a dashed ring is unknown. */
const SHAPES: Record<Severity, ReactElement> = {
  critical: <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z M7.200 4h1.600v5H7.200z M7.200 10.400h1.600V12H7.200z" fillRule="evenodd" />,
  high: <path d="M8 1.500 15.200 14H.8z" />,
  medium: <path d="M8 1l7 7-7 7-7-7z" />,
  low: <circle cx="8" cy="8" r="5" />,
  info: <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" strokeWidth="2" />,
  unknown: (
    <circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" strokeWidth="2" strokeDasharray="2.500 2.500" />
  ),
};

export function SeverityIcon({ severity }: { severity: Severity }) {
  return (
    <svg className={css.icon} data-severity={severity} viewBox="0 0 16 16" fill="currentColor" aria-hidden>
      {SHAPES[severity]}
    </svg>
  );
}

export function SeverityBadge({ severity }: { severity: Severity }) {
  return (
    <span className={css.badge} data-severity={severity}>
      <SeverityIcon severity={severity} />
      {words(severity)}
    </span>
  );
}

/** Counts side by side, worst first; zeros are left out. */
export function SeverityCounts({ counts }: { counts: Counts }) {
  const present = SEVERITIES.filter((severity) => counts[severity] > 0);
  if (present.length === 0) return <span className="muted">none</span>;
  return (
    <span className={css.counts}>
      {present.map((severity) => (
        <span key={severity} className={css.count} data-severity={severity} title={words(severity)}>
          <SeverityIcon severity={severity} />
          {count(counts[severity])}
          <span className={css.hidden}>{` ${severity}`}</span>
        </span>
      ))}
    </span>
  );
}

/** A bar of proportions; the numbers stand elsewhere, so it is decoration to a screen reader. */
export function SeverityBar({ counts }: { counts: Counts }) {
  return (
    <div className={css.bar} aria-hidden>
      {SEVERITIES.filter((severity) => counts[severity] > 0).map((severity) => (
        <div key={severity} data-severity={severity} style={{ flexGrow: counts[severity] }} />
      ))}
    </div>
  );
}

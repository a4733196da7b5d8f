// Words for what is claimed and for what works.
import type { Feature, SupportState, Working } from "../../api/types";
import { Dot, Tag, type Tone } from "../../parts/tag";
import css from "./availability.module.css";

const STATES: Record<SupportState, { title: string; tone: Tone; means: string }> = {
  ga: { title: "GA", tone: "good", means: "Generally available" },
  preview: { title: "Preview", tone: "accent", means: "Works, and may still change" },
  planned: { title: "Planned", tone: "neutral", means: "Not there yet" },
  unsupported: { title: "No", tone: "neutral", means: "Not supported, and not planned" },
};

export const SUPPORT_STATES = Object.values(STATES);

export function Support({ feature, environment }: { feature: Feature; environment: string }) {
  const support = feature.support[environment];
  if (!support) return <span className="muted">–</span>;
  const { title, tone, means } = STATES[support.state];
  if (support.state === "unsupported") return <span className="muted" title={means}>{title}</span>;
  return (
    <span className={css.support}>
      <Tag tone={tone} title={means}>
        {title}
      </Tag>
      {support.since !== null && <span className={css.since}>{support.since}</span>}
    </span>
  );
}

const WORKS: Record<Working, { title: string; tone: Tone }> = {
  working: { title: "Working", tone: "good" },
  partial: { title: "Partial", tone: "warn" },
  "not working": { title: "Not working", tone: "bad" },
  unknown: { title: "Unknown", tone: "neutral" },
};

export function WorkingDot({ working, count }: { working: Working; count?: number }) {
  const { title, tone } = WORKS[working];
  return <Dot tone={tone}>{count === undefined ? title : `${count} ${title.toLowerCase()}`}</Dot>;
}

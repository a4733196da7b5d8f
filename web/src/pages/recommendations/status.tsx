import type { FindingState, Recommendation } from "../../api/types";
import { words } from "../../format/text";
import { Dot, type Tone } from "../../parts/tag";

const STATUS: Record<Recommendation["status"], Tone> = {
  open: "bad",
  assigned: "accent",
  resolved: "good",
  regressed: "warn",
};

export function StatusDot({ status }: { status: Recommendation["status"] }) {
  return <Dot tone={STATUS[status]}>{words(status)}</Dot>;
}

const STATES: Record<FindingState, Tone> = {
  healthy: "good",
  unhealthy: "bad",
  not_applicable: "neutral",
  unknown: "warn",
  exempt: "accent",
};

export function FindingStateDot({ state }: { state: FindingState }) {
  return <Dot tone={STATES[state]}>{words(state)}</Dot>;
}

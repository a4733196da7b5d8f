// What an alert's state is called, and which ways lead out of it.
import type { AlertAction, AlertState, DismissReason } from "../../api/types";
import { Dot, type Tone } from "../../parts/tag";

const STATES: Record<AlertState, { title: string; tone: Tone; actions: readonly AlertAction[] }> = {
  active: { title: "Active", tone: "bad", actions: ["take", "resolve", "dismiss"] },
  in_progress: { title: "In progress", tone: "accent", actions: ["resolve", "dismiss", "reopen"] },
  resolved: { title: "Resolved", tone: "good", actions: ["reopen"] },
  dismissed: { title: "Dismissed", tone: "neutral", actions: ["reopen"] },
};

export const ACTION_TITLES: Record<AlertAction, string> = {
  take: "Take",
  resolve: "Resolve",
  dismiss: "Dismiss",
  reopen: "Reopen",
};

export const REASONS: readonly { value: DismissReason; label: string }[] = [
  { value: "false_positive", label: "False positive" },
  { value: "expected", label: "Expected behaviour" },
  { value: "accepted_risk", label: "Accepted risk" },
  { value: "test", label: "Test" },
  { value: "duplicate", label: "Duplicate" },
];

export const ALERT_STATES = Object.keys(STATES) as AlertState[];

export function stateTitle(state: AlertState): string {
  return STATES[state].title;
}

export function actionsFrom(state: AlertState): readonly AlertAction[] {
  return STATES[state].actions;
}

export function AlertStateDot({ state }: { state: AlertState }) {
  return <Dot tone={STATES[state].tone}>{STATES[state].title}</Dot>;
}

// What a request was answered, and what a policy asks for.
import type { PolicyAction, Verdict } from "../../api/types";
import { words } from "../../format/text";
import { Dot, type Tone } from "../../parts/tag";

/** Strictest first, as people look for them. */
export const VERDICTS: readonly Verdict[] = ["denied", "warned", "audited"];

const VERDICT_TONES: Record<Verdict, Tone> = { denied: "bad", warned: "warn", audited: "accent" };

export function VerdictDot({ verdict }: { verdict: Verdict }) {
  return <Dot tone={VERDICT_TONES[verdict]}>{words(verdict)}</Dot>;
}

export const ACTIONS: readonly { value: PolicyAction; label: string; tone: Tone; means: string }[] = [
  { value: "off", label: "Off", tone: "neutral", means: "Not judged at admission; what runs is still assessed." },
  { value: "audit", label: "Audit", tone: "accent", means: "Allowed and recorded." },
  { value: "warn", label: "Warn", tone: "warn", means: "Allowed with a warning to whoever asked, and recorded." },
  { value: "deny", label: "Deny", tone: "bad", means: "Refused and recorded." },
];

export function ActionDot({ action }: { action: PolicyAction }) {
  const known = ACTIONS.find((each) => each.value === action);
  return (
    <Dot tone={known?.tone ?? "neutral"} {...(known && { title: known.means })}>
      {words(action)}
    </Dot>
  );
}

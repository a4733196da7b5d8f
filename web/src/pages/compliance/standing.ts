// What a framework's numbers say: words, tones and shares of bars, and which controls a filter leaves.
import type { ControlState, FrameworkControl, FrameworkEntry, FrameworkSection } from "../../api/types";
import type { Tone } from "../../parts/tag";

/** Worst first, as the hub weighs them. */
export const CONTROL_STATES = ["failing", "unknown", "passing", "exempt", "not_applicable", "not_assessed"] as const satisfies ControlState[];

export const TONES: Record<ControlState, Tone> = {
  failing: "bad",
  unknown: "warn",
  passing: "good",
  exempt: "accent",
  not_applicable: "neutral",
  not_assessed: "neutral",
};

/** What a state means of a control, in a few words. */
export const MEANS: Record<ControlState, string> = {
  failing: "A resource fails it",
  unknown: "No resource fails it, but of one nobody can tell",
  passing: "Every resource that was judged satisfies it",
  exempt: "Every resource that it concerns is exempt",
  not_applicable: "It concerns none of the resources",
  not_assessed: "Nothing was looked at with it",
};

export interface Share {
  tone: Tone;
  count: number;
}

/** Controls of a framework by state, for its bar; those without a verdict are the rest of it. */
export function controlShares(framework: FrameworkEntry): Share[] {
  return CONTROL_STATES.map((state) => ({ tone: TONES[state], count: framework[state] }));
}

/** Resources of a control, for its bar; what it does not concern is left out. */
export function resourceShares(control: FrameworkControl): Share[] {
  return [
    { tone: "bad", count: control.failed },
    { tone: "warn", count: control.unknown },
    { tone: "accent", count: control.exempt },
    { tone: "good", count: control.passed },
  ];
}

/** Resources that a control's percentage is of. */
export function judged(control: FrameworkControl): number {
  return control.passed + control.failed + control.mitigated;
}

/** `3 fail, 1 unknown, 8 pass`; empty where there is nothing to say. */
export function resourceWords(control: FrameworkControl): string {
  const parts: [number, string][] = [
    [control.failed, control.failed === 1 ? "fails" : "fail"],
    [control.unknown, "unknown"],
    [control.exempt, "exempt"],
    [control.passed, control.passed === 1 ? "passes" : "pass"],
    [control.not_applicable, "not concerned"],
  ];
  return parts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`).join(", ");
}

/** Cut, not rounded: what is not whole never reads as 100%, and 0% is nothing at all. */
export function percent(value: number | null): string {
  if (value === null) return "–";
  if (value > 0 && value < 0.1) return "<0.1%";
  return `${Math.floor(value * 10 + 1e-6) / 10}%`;
}

/** The state that a page's filter names; `null` shows all. */
export function stateOf(filter: string | undefined): ControlState | null {
  const word = /^state:(\w+)$/.exec(filter ?? "")?.[1];
  return CONTROL_STATES.find((state) => state === word) ?? null;
}

/** One line of a framework's table: a control within a section, or a section that none answers. */
export interface Line {
  id: string;
  section: FrameworkSection;
  /** Not the first of its section. */
  repeats: boolean;
  control: FrameworkControl | null;
}

/** A section without a control is shown among all, and among what nobody can tell. */
export function lines(sections: readonly FrameworkSection[], state: ControlState | null): Line[] {
  return sections.flatMap((section, index): Line[] => {
    const place = section.number ?? `${index}`;
    if (section.controls.length === 0) {
      return state === null || state === "unknown" ? [{ id: place, section, repeats: false, control: null }] : [];
    }
    const shown = section.controls.filter((control) => state === null || control.state === state);
    return shown.map((control, at) => ({ id: `${place}/${control.id}`, section, repeats: at > 0, control }));
  });
}

/** Each control once, however many sections name it. */
export function controlsOf(sections: readonly FrameworkSection[]): Map<string, FrameworkControl> {
  return new Map(sections.flatMap((section) => section.controls.map((control) => [control.id, control] as const)));
}

/** Controls by state, previews too: what the table shows, not what the score counts. */
export function statesOf(sections: readonly FrameworkSection[]): Record<ControlState, number> {
  const states: Record<ControlState, number> = { failing: 0, unknown: 0, passing: 0, exempt: 0, not_applicable: 0, not_assessed: 0 };
  for (const control of controlsOf(sections).values()) states[control.state] += 1;
  return states;
}

// Why an alert is dismissed: one of five reasons and a note, both asked for by the hub.
import { Select, Textarea } from "@mantine/core";
import type { DismissReason } from "../../api/types";
import { REASONS } from "./state";

export interface Reasoning {
  reason: DismissReason | null;
  note: string;
}

export const NO_REASONING: Reasoning = { reason: null, note: "" };

export function isComplete({ reason, note }: Reasoning): boolean {
  return reason !== null && note.trim() !== "";
}

export function ReasonFields({ value, onChange }: { value: Reasoning; onChange: (value: Reasoning) => void }) {
  return (
    <>
      <Select
        label="Reason"
        placeholder="Choose one"
        data={REASONS}
        value={value.reason}
        onChange={(reason) => onChange({ ...value, reason })}
        allowDeselect={false}
        data-autofocus
      />
      <Textarea
        label="Note"
        description="Kept with the alert and in the audit log."
        autosize
        minRows={2}
        maxRows={6}
        value={value.note}
        onChange={(event) => onChange({ ...value, note: event.currentTarget.value })}
      />
    </>
  );
}

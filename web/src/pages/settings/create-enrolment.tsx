// The form of a new enrolment token. What to do with the token differs by the page that asks for it.
import { Checkbox, NumberInput, Select } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { call } from "../../api/http";
import type { CreatedEnrolment } from "../../api/types";
import { Create, type OpenState } from "./create";
import { ROOT, ScopeSelect } from "./grant-fields";

const HOUR = 3_600_000;

/** Milliseconds. The hub allows up to seven days. */
const LIVES = [
  { value: String(HOUR), label: "1 hour" },
  { value: String(24 * HOUR), label: "1 day" },
  { value: String(7 * 24 * HOUR), label: "7 days" },
];

interface CreateEnrolmentProps {
  label: string;
  answer: (created: CreatedEnrolment) => ReactNode;
  /** Width of the dialog in pixels, where commands need room. */
  size?: number;
  state?: OpenState;
}

export function CreateEnrolment({ label, answer, size, state }: CreateEnrolmentProps) {
  const [scope, setScope] = useState(ROOT);
  const [life, setLife] = useState(String(HOUR));
  const [uses, setUses] = useState(1);
  const [manual, setManual] = useState(false);
  return (
    <Create<CreatedEnrolment>
      label={label}
      title="Create enrolment token"
      noun="enrolments"
      ready
      {...(size !== undefined && { size })}
      {...(state && { state })}
      run={() =>
        call("POST", "/enrolments", {
          body: { scope, expires: Date.now() + Number(life), uses, manual_accept: manual },
        })
      }
      answer={answer}
      reset={() => {
        setScope(ROOT);
        setLife(String(HOUR));
        setUses(1);
        setManual(false);
      }}
    >
      <ScopeSelect scope={scope} onChange={setScope} description="What registers is placed below it." />
      <Select
        label="Valid for"
        data={LIVES}
        value={life}
        allowDeselect={false}
        onChange={(value) => value !== null && setLife(value)}
      />
      <NumberInput
        label="Registrations"
        description="How many clusters or machines may use it."
        min={1}
        max={1000}
        value={uses}
        onChange={(value) => setUses(Number(value) || 1)}
      />
      <Checkbox
        label="Every registration waits until someone accepts it"
        checked={manual}
        onChange={(event) => setManual(event.currentTarget.checked)}
      />
    </Create>
  );
}

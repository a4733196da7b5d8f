// The three fields of a password change; used before the console opens and in the account's settings.
import { PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SyntheticEvent } from "react";
import { call, fieldProblem } from "../../api/http";
import { sessionQuery } from "../../api/session";

/** Characters; the hub holds the rule, this only says so before asking. */
const MIN_LENGTH = 12;

export interface PasswordForm {
  values: { current: string; next: string; again: string };
  set: (name: "current" | "next" | "again", value: string) => void;
  problems: { current: string | null; next: string | null; again: string | null };
  failure: unknown;
  pending: boolean;
  done: boolean;
  submit: (event: SyntheticEvent) => void;
}

const BLANK = { current: "", next: "", again: "" };

export function usePasswordForm(): PasswordForm {
  const client = useQueryClient();
  const [values, setValues] = useState(BLANK);
  const [tried, setTried] = useState(false);
  const change = useMutation({
    mutationFn: () => call<undefined>("PUT", "/session/password", { body: { current: values.current, new: values.next } }),
    onSuccess: async () => {
      setValues(BLANK);
      setTried(false);
      await client.invalidateQueries(sessionQuery);
    },
  });
  const short = values.next.length < MIN_LENGTH ? `At least ${MIN_LENGTH} characters` : null;
  const same = values.next === values.current ? "Must differ from the current one" : null;
  const refused = (pointer: string) => fieldProblem(change.error, pointer);
  const problems = {
    current: refused("/current"),
    next: (tried ? (short ?? same) : null) ?? refused("/new"),
    again: tried && values.again !== values.next ? "The two do not match" : null,
  };
  return {
    values,
    set: (name, value) => setValues({ ...values, [name]: value }),
    problems,
    failure: refused("/current") === null && refused("/new") === null ? change.error : null,
    pending: change.isPending,
    done: change.isSuccess,
    submit: (event) => {
      event.preventDefault();
      setTried(true);
      if (short === null && same === null && values.again === values.next) change.mutate();
    },
  };
}

export function PasswordFields({ form }: { form: PasswordForm }) {
  const fields = [
    { name: "current", label: "Current password", complete: "current-password" },
    { name: "next", label: "New password", complete: "new-password" },
    { name: "again", label: "New password again", complete: "new-password" },
  ] as const;
  return fields.map(({ name, label, complete }) => (
    <PasswordInput
      key={name}
      label={label}
      name={name}
      autoComplete={complete}
      required
      withAsterisk={false}
      description={name === "next" ? `At least ${MIN_LENGTH} characters` : undefined}
      value={form.values[name]}
      error={form.problems[name]}
      onChange={(event) => form.set(name, event.currentTarget.value)}
    />
  ));
}

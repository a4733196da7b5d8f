// A new first password for somebody else.
import { Button, Modal, PasswordInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import type { User } from "../../api/types";
import { Code } from "../../parts/copy";
import { Failure } from "../../parts/failure";
import css from "./settings.module.css";

/** The hub may choose the password itself and answer with it. */
interface Answer {
  password?: string | null;
}

export function ResetPassword({ user }: { user: User }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [password, setPassword] = useState("");
  const reset = useMutation({
    mutationFn: () => call<Answer | undefined>("POST", `/users/${user.id}/reset-password`, { body: { password } }),
    onSuccess: async (answer) => {
      setPassword("");
      if (answer?.password === undefined || answer.password === null) setOpen(false);
      await client.invalidateQueries({ queryKey: ["users"] });
    },
  });

  function close(): void {
    setOpen(false);
    setPassword("");
    reset.reset();
  }

  const chosen = reset.data?.password ?? null;
  return (
    <>
      <Button variant="default" size="compact-xs" aria-label={`Reset password of ${user.name}`} onClick={() => setOpen(true)}>
        Reset password
      </Button>
      <Modal opened={open} onClose={close} title="Reset password" closeButtonProps={{ "aria-label": "Close" }}>
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            reset.mutate();
          }}
        >
          {chosen === null ? (
            <PasswordInput
              label={`New first password of ${user.name}`}
              description="At least 12 characters; to be changed at the next sign-in."
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.currentTarget.value)}
              data-autofocus
            />
          ) : (
            <Code text={chosen} label="password" />
          )}
          {reset.error && <Failure error={reset.error} />}
          <div className={css.buttons}>
            <Button variant="default" onClick={close}>
              {chosen === null ? "Cancel" : "Done"}
            </Button>
            {chosen === null && (
              <Button type="submit" disabled={password.length < 12} loading={reset.isPending}>
                Reset password
              </Button>
            )}
          </div>
        </form>
      </Modal>
    </>
  );
}

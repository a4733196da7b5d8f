// A new first password for somebody else: the hub makes it and shows it once.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import type { User } from "../../api/types";
import { Code } from "../../parts/copy";
import { Failure } from "../../parts/failure";
import css from "./settings.module.css";

export function ResetPassword({ user }: { user: User }) {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const reset = useMutation({
    mutationFn: () => call<{ password: string }>("POST", `/users/${user.id}/reset-password`),
    onSuccess: () => client.invalidateQueries({ queryKey: ["users"] }),
  });

  function close(): void {
    setOpen(false);
    reset.reset();
  }

  return (
    <>
      <Button variant="default" size="compact-xs" aria-label={`Reset password of ${user.name}`} onClick={() => setOpen(true)}>
        Reset password
      </Button>
      <Modal opened={open} onClose={close} title="Reset password" closeButtonProps={{ "aria-label": "Close" }}>
        <div className={css.form}>
          {reset.data ? (
            <>
              <div className={css.once}>Copy it now: it is not shown again.</div>
              <Code text={reset.data.password} label="password" />
            </>
          ) : (
            <div>
              {user.name} gets a random password, is signed out everywhere, and has to choose a new one at the next sign-in.
            </div>
          )}
          {reset.error && <Failure error={reset.error} />}
          <div className={css.buttons}>
            <Button variant="default" onClick={close}>
              {reset.data ? "Done" : "Cancel"}
            </Button>
            {!reset.data && (
              <Button loading={reset.isPending} onClick={() => reset.mutate()}>
                Reset password
              </Button>
            )}
          </div>
        </div>
      </Modal>
    </>
  );
}

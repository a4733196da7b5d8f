// "New …" with a form in a dialog; where the hub answers with a secret, it is shown once, here.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Failure } from "../../parts/failure";
import css from "./settings.module.css";

export type OpenState = [open: boolean, setOpen: (open: boolean) => void];

interface CreateProps<A> {
  label: string;
  title: string;
  noun: string;
  ready: boolean;
  /** Width of the dialog in pixels. */
  size?: number;
  /** Whether the dialog is open, where the page has another button for it. */
  state?: OpenState;
  run: () => Promise<A>;
  /** Shown instead of the form when done; without it the dialog closes. */
  answer?: (answer: A) => ReactNode;
  /** Makes the form blank again. */
  reset: () => void;
  children: ReactNode;
}

export function Create<A>({ label, title, noun, ready, size, state, run, answer, reset, children }: CreateProps<A>) {
  const client = useQueryClient();
  const own = useState(false);
  const [open, setOpen] = state ?? own;
  const create = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      reset();
      if (!answer) setOpen(false);
      await client.invalidateQueries({ queryKey: [noun] });
    },
  });

  function close(): void {
    setOpen(false);
    create.reset();
    reset();
  }

  const done = create.isSuccess && answer ? answer(create.data) : null;
  return (
    <>
      <Button onClick={() => setOpen(true)}>{label}</Button>
      <Modal opened={open} onClose={close} title={title} closeButtonProps={{ "aria-label": "Close" }} {...(size !== undefined && { size })}>
        {done !== null ? (
          <div className={css.form}>
            {done}
            <div className={css.buttons}>
              <Button onClick={close}>Done</Button>
            </div>
          </div>
        ) : (
          <form
            className={css.form}
            onSubmit={(event) => {
              event.preventDefault();
              create.mutate();
            }}
          >
            {children}
            {create.error && <Failure error={create.error} />}
            <div className={css.buttons}>
              <Button variant="default" onClick={close}>
                Cancel
              </Button>
              <Button type="submit" disabled={!ready} loading={create.isPending}>
                {title}
              </Button>
            </div>
          </form>
        )}
      </Modal>
    </>
  );
}

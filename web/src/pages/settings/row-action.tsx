// A button in a row of settings that asks first, then calls the hub and asks for the list again.
import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { Confirm } from "../../parts/confirm";

interface RowActionProps {
  label: string;
  title: string;
  /** What a screen reader hears: the button stands in every row. */
  about: string;
  noun: string;
  harmless?: boolean;
  run: () => Promise<unknown>;
  children: ReactNode;
}

export function RowAction({ label, title, about, noun, harmless = false, run, children }: RowActionProps) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const action = useMutation({
    mutationFn: run,
    onSuccess: async () => {
      setAsking(false);
      await client.invalidateQueries({ queryKey: [noun] });
    },
  });
  return (
    <>
      <Button variant="default" size="compact-xs" aria-label={`${label} ${about}`} onClick={() => setAsking(true)}>
        {label}
      </Button>
      {asking && (
        <Confirm
          title={title}
          action={label}
          harmless={harmless}
          pending={action.isPending}
          error={action.error}
          onConfirm={() => action.mutate()}
          onClose={() => setAsking(false)}
        >
          {children}
        </Confirm>
      )}
    </>
  );
}

// The ways out of an alert's state, for those who may take them.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import { useMay } from "../../api/session";
import type { Alert, AlertAction } from "../../api/types";
import { Failure } from "../../parts/failure";
import css from "./alerts.module.css";
import { isComplete, NO_REASONING, ReasonFields } from "./reason-fields";
import { ACTION_TITLES, actionsFrom } from "./state";

export function AlertActions({ alert }: { alert: Alert }) {
  const mayChange = useMay("alert_state");
  const client = useQueryClient();
  const [dismissing, setDismissing] = useState(false);
  const [reasoning, setReasoning] = useState(NO_REASONING);
  const change = useMutation({
    mutationFn: (action: AlertAction) =>
      call<Alert>("POST", `/alerts/${alert.id}/${action}`, {
        body: action === "dismiss" ? { reason: reasoning.reason, note: reasoning.note.trim() } : {},
      }),
    onSuccess: async () => {
      setDismissing(false);
      await client.invalidateQueries({ queryKey: ["alerts"] });
    },
  });
  if (!mayChange) return null;
  return (
    <>
      {actionsFrom(alert.state).map((action, index) => (
        <Button
          key={action}
          variant={index === 0 ? "filled" : "default"}
          loading={change.isPending && change.variables === action}
          onClick={() => (action === "dismiss" ? setDismissing(true) : change.mutate(action))}
        >
          {action === "dismiss" ? "Dismiss…" : ACTION_TITLES[action]}
        </Button>
      ))}
      {change.error && !dismissing && <Failure error={change.error} />}
      <Modal
        opened={dismissing}
        onClose={() => setDismissing(false)}
        title="Dismiss alert"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            change.mutate("dismiss");
          }}
        >
          <ReasonFields value={reasoning} onChange={setReasoning} />
          {change.error && <Failure error={change.error} />}
          <div className={css.buttons}>
            <Button variant="default" onClick={() => setDismissing(false)}>
              Cancel
            </Button>
            <Button type="submit" disabled={!isComplete(reasoning)} loading={change.isPending}>
              Dismiss alert
            </Button>
          </div>
        </form>
      </Modal>
    </>
  );
}

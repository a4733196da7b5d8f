// One action on many alerts: the hub first says how many it would change, then does it.
import { Button, Modal } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import type { AlertAction, BulkResult } from "../../api/types";
import { plural } from "../../format/text";
import { Failure } from "../../parts/failure";
import css from "./alerts.module.css";
import { isComplete, NO_REASONING, ReasonFields } from "./reason-fields";
import { ACTION_TITLES } from "./state";

export type Matching = { ids: string[] } | { filter: string };

interface BulkDialogProps {
  action: AlertAction;
  matching: Matching;
  onClose: () => void;
  onDone: () => void;
}

export function BulkDialog({ action, matching, onClose, onDone }: BulkDialogProps) {
  const client = useQueryClient();
  const [reasoning, setReasoning] = useState(NO_REASONING);
  const dismissing = action === "dismiss";
  // The preview changes nothing; the hub still wants a reason in a dismissal's body.
  const body = (dry: boolean) => ({
    action,
    ...matching,
    ...(dismissing && { reason: reasoning.reason ?? "expected", note: dry ? "preview" : reasoning.note.trim() }),
    dry_run: dry,
  });
  const preview = useQuery({
    queryKey: ["alerts", "bulk", action, matching],
    queryFn: () => call<BulkResult>("POST", "/alerts/bulk", { body: body(true) }),
    gcTime: 0,
  });
  const change = useMutation({
    mutationFn: () => call<BulkResult>("POST", "/alerts/bulk", { body: body(false) }),
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: ["alerts"] });
    },
  });
  const ready = preview.data !== undefined && preview.data.changed > 0 && (!dismissing || isComplete(reasoning));
  return (
    <Modal opened onClose={onClose} title={`${ACTION_TITLES[action]} alerts`} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={css.form}>
        <div className={css.preview} role="status">
          {preview.isPending && "Counting…"}
          {preview.data &&
            `${plural(preview.data.matched, "alert")} matched, ${preview.data.changed} would change${
              preview.data.matched > preview.data.changed ? "; the others are in another state" : ""
            }.`}
        </div>
        {preview.error && <Failure error={preview.error} />}
        {dismissing && <ReasonFields value={reasoning} onChange={setReasoning} />}
        {change.error && <Failure error={change.error} />}
        <div className={css.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button disabled={!ready} loading={change.isPending} onClick={() => change.mutate()}>
            {ACTION_TITLES[action]} {preview.data ? preview.data.changed : ""}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

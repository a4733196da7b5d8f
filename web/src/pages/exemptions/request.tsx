// Asks for an exemption of one finding; who may grant it grants it at once.
import { Button, Modal, Select, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import { useMay, useSession } from "../../api/session";
import type { Exemption, ExemptionCategory, Finding } from "../../api/types";
import { date } from "../../format/time";
import { Failure } from "../../parts/failure";
import css from "./exemptions.module.css";

/** Days; long enough to plan a fix, short enough to be looked at again. */
const DEFAULT_LIFE = 90;
const DAY = 86_400_000;

export const CATEGORIES: readonly { value: ExemptionCategory; label: string }[] = [
  { value: "mitigated", label: "Mitigated: counts as healthy" },
  { value: "risk_accepted", label: "Risk accepted: leaves the score" },
];

export function ExemptionDialog({ finding, onClose }: { finding: Finding; onClose: () => void }) {
  const client = useQueryClient();
  const session = useSession();
  const mayGrant = useMay("grant_exemption");
  const [category, setCategory] = useState<ExemptionCategory>("risk_accepted");
  const [reason, setReason] = useState("");
  const [owner, setOwner] = useState(session.user.name);
  const [expires, setExpires] = useState(() => date(Date.now() + DEFAULT_LIFE * DAY));
  const ask = useMutation({
    mutationFn: () =>
      call<Exemption>("POST", "/exemptions", {
        body: {
          target: {
            rule: finding.rule,
            namespace: finding.namespace,
            resource: finding.resource,
            package: finding.package,
            path: null,
          },
          category,
          reason: reason.trim(),
          owner: owner.trim(),
          expires: Date.parse(expires),
          scope: finding.scope,
        },
      }),
    onSuccess: async () => {
      onClose();
      await Promise.all(
        ["exemptions", "recommendations", "findings", "overview"].map((key) =>
          client.invalidateQueries({ queryKey: [key] }),
        ),
      );
    },
  });
  return (
    <Modal
      opened
      onClose={onClose}
      title={mayGrant ? "Grant an exemption" : "Request an exemption"}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          ask.mutate();
        }}
      >
        <div className={css.target}>
          <span className="mono">{finding.rule}</span> on <strong>{finding.resource}</strong>
          {finding.namespace !== null && ` in ${finding.namespace}`}
        </div>
        <Select
          label="Category"
          data={CATEGORIES}
          value={category}
          allowDeselect={false}
          onChange={(value) => value && setCategory(value)}
        />
        <Textarea
          label="Reason"
          description="What makes this acceptable, for whoever reads it next."
          required
          withAsterisk={false}
          autosize
          minRows={2}
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          data-autofocus
        />
        <TextInput
          label="Owner"
          required
          withAsterisk={false}
          value={owner}
          onChange={(event) => setOwner(event.currentTarget.value)}
        />
        <TextInput
          label="Expires"
          type="date"
          required
          withAsterisk={false}
          value={expires}
          onChange={(event) => setExpires(event.currentTarget.value)}
        />
        {ask.error && <Failure error={ask.error} />}
        <div className={css.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={reason.trim() === "" || owner.trim() === ""} loading={ask.isPending}>
            {mayGrant ? "Grant exemption" : "Request exemption"}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

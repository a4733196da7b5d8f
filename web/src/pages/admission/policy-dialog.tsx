// Makes or changes a policy. Before it denies, it shows what it would refuse today.
import { Button, Modal, Select, TagsInput, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import type { Assigned, Assignment, Control } from "../../api/types";
import { plural } from "../../format/text";
import { Failure } from "../../parts/failure";
import { ROOT, ScopeSelect } from "../settings/grant-fields";
import css from "./admission.module.css";
import { badLabel, blankForm, bodyOf, formOf, paramsText, readParams, targets, type PolicyForm } from "./assignment";
import { ACTIONS } from "./verdict";
import { WouldRefuse } from "./would-refuse";

interface PolicyDialogProps {
  /** The policy to change; without it a new one is made. */
  assignment?: Assignment;
  controls: readonly Control[];
  onClose: () => void;
}

export function PolicyDialog({ assignment, controls, onClose }: PolicyDialogProps) {
  const client = useQueryClient();
  const [form, setForm] = useState<PolicyForm>(() => (assignment ? formOf(assignment) : blankForm(ROOT)));
  const body = bodyOf(form);
  const save = useMutation({
    mutationFn: () =>
      assignment
        ? call<Assigned>("PUT", `/assignments/${assignment.id}`, { body, revision: assignment.revision })
        : call<Assigned>("POST", "/assignments", { body }),
    onSuccess: async (saved) => {
      if (refuses(saved) === null) onClose();
      await client.invalidateQueries({ queryKey: ["assignments"] });
    },
  });
  const refused = save.data ? refuses(save.data) : null;
  const title = assignment ? "Edit policy" : "New policy";
  return (
    <Modal opened onClose={onClose} title={title} size={560} closeButtonProps={{ "aria-label": "Close" }}>
      {refused !== null ? (
        <div className={css.form}>
          <div className={css.outcome} role="status">
            <strong>Saved.</strong>{" "}
            {refused === 0
              ? "Nothing that runs today would be refused."
              : `${plural(refused, "finding fails", "findings fail")} in its scope today, in whatever namespace: such objects would be refused when made anew.`}
          </div>
          <div className={css.buttons}>
            <Button onClick={onClose} data-autofocus>
              Done
            </Button>
          </div>
        </div>
      ) : (
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            save.mutate();
          }}
        >
          <Fields form={form} controls={controls} onChange={(change) => setForm({ ...form, ...change })} />
          {form.action === "deny" && <WouldRefuse form={form} />}
          {save.error && <Failure error={save.error} />}
          <div className={css.buttons}>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={body === null} loading={save.isPending}>
              {assignment ? "Save policy" : "Create policy"}
            </Button>
          </div>
        </form>
      )}
    </Modal>
  );
}

/** How many findings the hub says it would refuse; null where it was not asked to deny. */
function refuses({ action, would_refuse }: Assigned): number | null {
  return action === "deny" ? would_refuse : null;
}

interface FieldsProps {
  form: PolicyForm;
  controls: readonly Control[];
  onChange: (change: Partial<PolicyForm>) => void;
}

function Fields({ form, controls, onChange }: FieldsProps) {
  const [more, setMore] = useState(form.kinds.length > 0 || form.labels.length > 0 || form.params !== "");
  return (
    <>
      <Select
        label="Control or framework"
        placeholder="Choose one"
        data={targets(controls)}
        value={form.target}
        searchable
        openOnFocus={false}
        allowDeselect={false}
        nothingFoundMessage="No such control or framework"
        onChange={(target) => onChange({ target })}
        data-autofocus
      />
      <Select
        label="Action"
        description={ACTIONS.find((each) => each.value === form.action)?.means}
        data={ACTIONS.map(({ value, label }) => ({ value, label }))}
        value={form.action}
        allowDeselect={false}
        onChange={(action) => action && onChange({ action })}
      />
      <ScopeSelect
        scope={form.scope}
        onChange={(scope) => onChange({ scope })}
        description="It holds here and below, where no nearer policy says otherwise."
      />
      <TagsInput
        label="Namespaces"
        description="Names, or globs such as web-*. Empty is all."
        value={form.namespaces}
        onChange={(namespaces) => onChange({ namespaces })}
      />
      <TagsInput
        label="Except namespaces"
        value={form.excluded}
        onChange={(excluded) => onChange({ excluded })}
      />
      <details className={css.more} open={more} onToggle={(event) => setMore(event.currentTarget.open)}>
        <summary>Kinds, labels and parameters</summary>
        <div className={css.form}>
          <TagsInput
            label="Kinds"
            description="Such as Deployment or Pod. Empty is all."
            value={form.kinds}
            onChange={(kinds) => onChange({ kinds })}
          />
          <TagsInput
            label="Labels"
            description="As name=value; the object must have every one."
            value={form.labels}
            error={badLabel(form.labels)}
            onChange={(labels) => onChange({ labels })}
          />
          <Params form={form} controls={controls} onChange={onChange} />
        </div>
      </details>
    </>
  );
}

function Params({ form, controls, onChange }: FieldsProps) {
  const read = readParams(form.params);
  const known = paramsText(controls.find((control) => form.target === `control:${control.id}`));
  return (
    <Textarea
      label="Parameters"
      description={known === null ? "A JSON object; what is absent has its default." : <>A JSON object. The control has {known}</>}
      placeholder="{}"
      autosize
      minRows={2}
      maxRows={8}
      spellCheck={false}
      classNames={{ input: "mono" }}
      value={form.params}
      error={"mistake" in read ? read.mistake : null}
      onChange={(event) => onChange({ params: event.currentTarget.value })}
    />
  );
}

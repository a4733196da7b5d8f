// Brings a policy set, or another text for one. The hub says of every mistake on which line it stands.
import { Button, FileButton, Modal, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, fieldProblem, HubError } from "../../api/http";
import type { PolicyAction, TriedSet } from "../../api/types";
import { Failure } from "../../parts/failure";
import { ROOT, ScopeSelect } from "../settings/grant-fields";
import css from "./admission.module.css";
import { joined, textMistake } from "./trial";

interface PolicySetDialogProps {
  /** The set to change; without it a new one is made. */
  set?: TriedSet;
  onClose: () => void;
}

export function PolicySetDialog({ set, onClose }: PolicySetDialogProps) {
  const client = useQueryClient();
  const [name, setName] = useState(set?.name ?? "");
  const [scope, setScope] = useState(set?.scope ?? ROOT);
  const [text, setText] = useState(set?.text ?? "");
  const tooLong = textMistake(text);
  // A new text is not tried yet, so that it may not refuse.
  const lowers = set !== undefined && text !== set.text && (set.action === "warn" || set.action === "deny");
  const action: PolicyAction = lowers ? "audit" : (set?.action ?? "audit");
  const save = useMutation({
    mutationFn: () => {
      const body = { name, scope, text, action };
      return set
        ? call<TriedSet>("PUT", `/policy-sets/${set.id}`, { body, revision: set.revision })
        : call<TriedSet>("POST", "/policy-sets", { body });
    },
    onSuccess: async () => {
      onClose();
      await client.invalidateQueries({ queryKey: ["policy-sets"] });
    },
  });
  const mistakes = mistakesOf(save.error);
  const nameProblem = fieldProblem(save.error, "/name");
  return (
    <Modal
      opened
      onClose={onClose}
      title={set ? `Replace text of ${set.name}` : "New policy set"}
      size={760}
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        className={css.form}
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <TextInput
          label="Name"
          value={name}
          error={nameProblem}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        {!set && <ScopeSelect scope={scope} onChange={setScope} description="It holds here and below." />}
        <Textarea
          label="Policies"
          description="YAML documents: ValidatingAdmissionPolicies with bindings and params, Gatekeeper templates, constraints and expansions."
          autosize
          minRows={8}
          maxRows={18}
          spellCheck={false}
          classNames={{ input: css.code ?? "" }}
          value={text}
          error={tooLong}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <div>
          <FileButton multiple accept=".yaml,.yml,.json" onChange={(files) => void readAll(files).then(setText)}>
            {(props) => (
              <Button variant="default" size="xs" {...props}>
                Choose files…
              </Button>
            )}
          </FileButton>
        </div>
        {lowers && (
          <div className={css.refuse} role="status">
            The action goes back from {set.action} to audit: the new text refuses nothing before every connected cluster has tried
            it.
          </div>
        )}
        {mistakes.length > 0 && <Mistakes mistakes={mistakes} />}
        {save.error && mistakes.length === 0 && nameProblem === null && <Failure error={save.error} />}
        <div className={css.buttons}>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={name.trim() === "" || text.trim() === "" || tooLong !== null} loading={save.isPending}>
            {set ? "Save policy set" : "Create policy set"}
          </Button>
        </div>
      </form>
    </Modal>
  );
}

async function readAll(files: readonly File[]): Promise<string> {
  return joined(await Promise.all(files.map((file) => file.text())));
}

/** What the hub says of the text, line by line. */
function mistakesOf(error: unknown): string[] {
  if (!(error instanceof HubError)) return [];
  return (error.problem.errors ?? []).filter((each) => each.pointer === "/text").map((each) => each.detail);
}

function Mistakes({ mistakes }: { mistakes: readonly string[] }) {
  return (
    <div className={css.mistakes} role="alert">
      <strong>The text was not taken.</strong>
      <ul>
        {mistakes.map((mistake, index) => (
          <li key={index}>{mistake}</li>
        ))}
      </ul>
    </div>
  );
}

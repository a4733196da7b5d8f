// Owner and due date. A change based on an old revision is refused by the hub, which is then said here.
import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import type { Recommendation } from "../../api/types";
import { date } from "../../format/time";
import { Failure } from "../../parts/failure";
import css from "./recommendations.module.css";

export function Assign({ item }: { item: Recommendation }) {
  const client = useQueryClient();
  const before = { owner: item.owner ?? "", due: item.due === null ? "" : date(item.due) };
  const [owner, setOwner] = useState(before.owner);
  const [due, setDue] = useState(before.due);
  const save = useMutation({
    mutationFn: () =>
      call<Recommendation>("PATCH", `/recommendations/${item.id}`, {
        revision: item.revision,
        body: { owner: owner.trim() === "" ? null : owner.trim(), due: due === "" ? null : Date.parse(due) },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["recommendations"] }),
  });
  const changed = owner.trim() !== before.owner || due !== before.due;
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <div className={css.assign}>
        <TextInput label="Owner" value={owner} onChange={(event) => setOwner(event.currentTarget.value)} />
        <TextInput label="Due" type="date" value={due} onChange={(event) => setDue(event.currentTarget.value)} />
        <Button type="submit" size="sm" disabled={!changed} loading={save.isPending}>
          Save
        </Button>
      </div>
      {save.error && <Failure error={save.error} />}
    </form>
  );
}

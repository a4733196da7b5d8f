// Clickable counts beside a list. A click changes the filter, so that the query bar always tells the whole truth.
import { Checkbox, Collapse, Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconAdjustmentsHorizontal } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { selected, toggle } from "../filter/terms";
import { count } from "../format/text";
import css from "./facets.module.css";

export interface FacetValue {
  value: string;
  label: ReactNode;
  /** What a screen reader hears. */
  name: string;
  count: number;
}

export interface FacetGroup {
  field: string;
  title: string;
  values: readonly FacetValue[];
}

/** Longer groups fold. */
const SHOWN = 7;

interface FacetsProps {
  groups: readonly FacetGroup[];
  filter: string;
  onFilter: (filter: string) => void;
  /** What the counts leave out. */
  note?: string;
}

export function Facets({ groups, filter, onFilter, note }: FacetsProps) {
  const [open, { toggle: flip }] = useDisclosure(false);
  const chosen = groups.reduce((sum, group) => sum + selected(filter, group.field).length, 0);
  const body = (
    <>
      {groups
        .filter((group) => group.values.length > 0)
        .map((group) => (
          <Group key={group.field} group={group} filter={filter} onFilter={onFilter} />
        ))}
      {note !== undefined && <p className={css.note}>{note}</p>}
    </>
  );
  return (
    <>
      <aside className={css.side} aria-label="Facets">
        {body}
      </aside>
      <div className={css.fold}>
        <Button
          variant="default"
          leftSection={<IconAdjustmentsHorizontal size={14} />}
          aria-expanded={open}
          onClick={flip}
        >
          Facets{chosen > 0 ? ` (${chosen})` : ""}
        </Button>
        <Collapse expanded={open}>{open && <div className={css.folded}>{body}</div>}</Collapse>
      </div>
    </>
  );
}

interface GroupProps {
  group: FacetGroup;
  filter: string;
  onFilter: (filter: string) => void;
}

function Group({ group, filter, onFilter }: GroupProps) {
  const [all, setAll] = useState(false);
  const chosen = selected(filter, group.field);
  const values = all ? group.values : group.values.slice(0, SHOWN);
  return (
    <fieldset className={css.group}>
      <legend>{group.title}</legend>
      {values.map((value) => (
        <div key={value.value} className={css.value}>
          <Checkbox
            size="xs"
            label={value.label}
            aria-label={`${group.title}: ${value.name}, ${value.count}`}
            checked={chosen.includes(value.value)}
            onChange={() => onFilter(toggle(filter, group.field, value.value))}
          />
          <span className={css.count}>{count(value.count)}</span>
        </div>
      ))}
      {group.values.length > SHOWN && (
        <button type="button" className={css.more} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${group.values.length}`}
        </button>
      )}
    </fieldset>
  );
}

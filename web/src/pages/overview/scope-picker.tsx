// Looks at one part of the tree; drawn only where there is more than the root.
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { topQuery } from "../../api/queries";
import type { Scope } from "../../api/types";

/** A tree larger than one page is searched for by path in the address. */
const MAX_SCOPES = 500;

interface ScopePickerProps {
  scope: string | undefined;
  onChange: (scope: string | undefined) => void;
}

export function ScopePicker({ scope, onChange }: ScopePickerProps) {
  const scopes = useQuery(topQuery<Scope>("scopes", MAX_SCOPES, {}));
  const items = scopes.data?.items ?? [];
  if (items.length < 2 && scope === undefined) return null;
  return (
    <Select
      size="sm"
      aria-label="Scope"
      placeholder="All scopes"
      clearable
      searchable
      value={scope ?? null}
      data={items.map((item) => ({ value: item.path, label: item.name }))}
      onChange={(path) => onChange(path ?? undefined)}
    />
  );
}

// A role at a scope, narrowed to namespaces where that is wanted; for users and tokens alike.
import { Select, TagsInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { topQuery } from "../../api/queries";
import type { Role, Scope } from "../../api/types";

export interface Grant {
  role: Role;
  scope: string;
  namespaces: string[];
}

export const ROOT = "/org/";

export const NO_GRANT: Grant = { role: "security_reader", scope: ROOT, namespaces: [] };

export const ROLES: readonly { value: Role; label: string }[] = [
  { value: "security_reader", label: "Security Reader" },
  { value: "security_admin", label: "Security Admin" },
  { value: "contributor", label: "Contributor" },
  { value: "owner", label: "Owner" },
];

/** As many as the hub gives at once. */
const MAX_SCOPES = 500;

interface ScopeSelectProps {
  scope: string;
  onChange: (scope: string) => void;
  description?: string;
}

export function ScopeSelect({ scope, onChange, description = "The role holds here and everywhere below." }: ScopeSelectProps) {
  const scopes = useQuery(topQuery<Scope>("scopes", MAX_SCOPES, {}));
  const known = scopes.data?.items.map((each) => ({ value: each.path, label: `${each.name} (${each.path})` })) ?? [];
  const data = known.length > 0 ? known : [{ value: ROOT, label: ROOT }];
  return (
    <Select
      label="Scope"
      description={description}
      data={data}
      value={scope}
      searchable
      allowDeselect={false}
      onChange={(value) => value !== null && onChange(value)}
    />
  );
}

export function GrantFields({ grant, onChange }: { grant: Grant; onChange: (grant: Grant) => void }) {
  return (
    <>
      <Select
        label="Role"
        data={ROLES}
        value={grant.role}
        allowDeselect={false}
        onChange={(role) => role && onChange({ ...grant, role })}
      />
      <ScopeSelect scope={grant.scope} onChange={(scope) => onChange({ ...grant, scope })} />
      <TagsInput
        label="Namespaces"
        description="Leave empty for all; only a cluster's scope can be narrowed."
        value={grant.namespaces}
        onChange={(namespaces) => onChange({ ...grant, namespaces })}
      />
    </>
  );
}

/** The grant as the API takes it. */
export function grantBody(grant: Grant) {
  return { ...grant, namespaces: grant.namespaces.length > 0 ? grant.namespaces : null };
}

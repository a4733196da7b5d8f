import { Select, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/http";
import { topQuery } from "../../api/queries";
import type { Principal, RoleAssignment, Token, User } from "../../api/types";
import { SETTINGS } from "../../app/nav";
import { Page } from "../../app/page";
import type { Column } from "../../list/column";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import { Create } from "./create";
import { GrantFields, grantBody, NO_GRANT, ROLES } from "./grant-fields";
import { RowAction } from "./row-action";
import css from "./settings.module.css";
import { SimpleList } from "./simple-list";

/** As many as the hub gives at once; an id stands in for the rest. */
const MAX_NAMES = 500;

function useNames(): { users: User[]; name: (principal: Principal) => string } {
  const users = useQuery(topQuery<User>("users", MAX_NAMES, {}));
  const tokens = useQuery(topQuery<Token>("tokens", MAX_NAMES, {}));
  const all = [...(users.data?.items ?? []), ...(tokens.data?.items ?? [])];
  const names = new Map(all.map((each) => [each.id, each.name]));
  return {
    users: users.data?.items ?? [],
    name: (principal) => (principal.kind === "group" ? principal.name : (names.get(principal.id) ?? principal.id)),
  };
}

const roleTitle = (assignment: RoleAssignment) =>
  ROLES.find((each) => each.value === assignment.role)?.label ?? assignment.role;

function columns(name: (principal: Principal) => string): readonly Column<RoleAssignment>[] {
  return [
    {
      id: "principal",
      title: "Who",
      card: "title",
      cell: (assignment) => (
        <>
          {name(assignment.principal)} <Tag>{assignment.principal.kind}</Tag>
        </>
      ),
    },
    { id: "role", title: "Role", width: "18%", card: "badge", cell: roleTitle },
    { id: "scope", title: "Scope", width: "26%", cell: (assignment) => <span className="mono">{assignment.scope}</span> },
    {
      id: "namespaces",
      title: "Namespaces",
      width: "16%",
      cell: (assignment) => assignment.namespaces?.join(", ") ?? <span className="muted">all</span>,
    },
    { id: "created", title: "Since", width: "120px", cell: (assignment) => <Time at={assignment.created} /> },
    {
      id: "actions",
      title: "Actions",
      width: "100px",
      cell: (assignment) => (
        <RowAction
          label="Remove"
          title="Remove role"
          about={`${roleTitle(assignment)} of ${name(assignment.principal)}`}
          noun="roles"
          run={() => call("DELETE", `/roles/${assignment.id}`)}
        >
          {name(assignment.principal)} is no longer {roleTitle(assignment)} at{" "}
          <span className="mono">{assignment.scope}</span>. Other grants stay.
        </RowAction>
      ),
    },
  ];
}

export function Roles() {
  const { users, name } = useNames();
  const [kind, setKind] = useState<"user" | "group">("user");
  const [user, setUser] = useState<string | null>(null);
  const [group, setGroup] = useState("");
  const [grant, setGrant] = useState(NO_GRANT);
  const principal: Principal | null =
    kind === "group"
      ? group.trim() === ""
        ? null
        : { kind, name: group.trim() }
      : user === null
        ? null
        : { kind, id: user };
  return (
    <Page title="Settings" tabs={{ label: "Settings", items: SETTINGS }}>
      <div className={css.bar}>
        <p>A role holds at its scope and everywhere below. Grants add up; nothing denies.</p>
        <Create
          label="Assign role"
          title="Assign role"
          noun="roles"
          ready={principal !== null}
          run={() => call<RoleAssignment>("POST", "/roles", { body: { principal, ...grantBody(grant) } })}
          reset={() => {
            setUser(null);
            setGroup("");
            setGrant(NO_GRANT);
          }}
        >
          <Select
            label="Who"
            data={[
              { value: "user", label: "A user" },
              { value: "group", label: "A group of the sign-in provider" },
            ]}
            value={kind}
            allowDeselect={false}
            onChange={(value) => value && setKind(value)}
          />
          {kind === "user" ? (
            <Select
              label="User"
              placeholder="Choose one"
              searchable
              data={users.map((each) => ({ value: each.id, label: each.name }))}
              value={user}
              onChange={setUser}
              data-autofocus
            />
          ) : (
            <TextInput label="Group" value={group} onChange={(event) => setGroup(event.currentTarget.value)} />
          )}
          <GrantFields grant={grant} onChange={setGrant} />
        </Create>
      </div>
      <SimpleList<RoleAssignment>
        noun="roles"
        plural="role assignments"
        columns={columns(name)}
        rowId={(assignment) => assignment.id}
        rowLabel={(assignment) => `${roleTitle(assignment)} of ${name(assignment.principal)}`}
        empty="Nobody holds a role."
      />
    </Page>
  );
}

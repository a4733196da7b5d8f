import { PasswordInput, TextInput } from "@mantine/core";
import { useState } from "react";
import { call } from "../../api/http";
import { useSession } from "../../api/session";
import type { User } from "../../api/types";
import { SETTINGS } from "../../app/nav";
import { Page } from "../../app/page";
import type { Column } from "../../list/column";
import { Dot, Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import { Create } from "./create";
import { ResetPassword } from "./reset-password";
import { RowAction } from "./row-action";
import css from "./settings.module.css";
import { SimpleList } from "./simple-list";

function columns(self: string): readonly Column<User>[] {
  return [
    {
      id: "name",
      title: "User",
      card: "title",
      cell: (user) => (
        <>
          {user.name} {user.id === self && <Tag tone="accent">you</Tag>}
        </>
      ),
    },
    {
      id: "state",
      title: "State",
      width: "200px",
      card: "badge",
      cell: (user) =>
        user.disabled ? (
          <Dot tone="neutral">Disabled</Dot>
        ) : (
          <span className={css.row}>
            <Dot tone="good">Active</Dot>
            {user.must_change_password && <span className={css.second}>password not yet changed</span>}
          </span>
        ),
    },
    { id: "seen", title: "Last sign-in", width: "140px", cell: (user) => <Time at={user.last_sign_in} /> },
    { id: "created", title: "Created", width: "130px", cell: (user) => <Time at={user.created} /> },
    {
      id: "actions",
      title: "Actions",
      width: "270px",
      cell: (user) => (user.id === self ? <span className="muted">see Account</span> : <Actions user={user} />),
    },
  ];
}

function Actions({ user }: { user: User }) {
  const verb = user.disabled ? "Enable" : "Disable";
  return (
    <span className={css.row}>
      <ResetPassword user={user} />
      <RowAction
        label={verb}
        title={`${verb} user`}
        about={user.name}
        noun="users"
        run={() => call("PATCH", `/users/${user.id}`, { body: { disabled: !user.disabled }, revision: user.revision })}
      >
        {user.disabled ? `${user.name} may sign in again.` : `${user.name} is signed out everywhere and cannot sign in.`}
      </RowAction>
      <RowAction
        label="Delete"
        title="Delete user"
        about={user.name}
        noun="users"
        run={() => call("DELETE", `/users/${user.id}`)}
      >
        {user.name} and their role assignments go. The audit log keeps what they did.
      </RowAction>
    </span>
  );
}

export function Users() {
  const session = useSession();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  return (
    <Page title="Settings" tabs={{ label: "Settings", items: SETTINGS }}>
      <div className={css.bar}>
        <p>A new user chooses a password of their own at the first sign-in, and sees nothing until a role is assigned.</p>
        <Create
          label="New user"
          title="Create user"
          noun="users"
          ready={name.trim() !== "" && password.length >= 12}
          run={() => call<User>("POST", "/users", { body: { name: name.trim(), password } })}
          reset={() => {
            setName("");
            setPassword("");
          }}
        >
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
          <PasswordInput
            label="First password"
            description="At least 12 characters; to be changed at the first sign-in."
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
        </Create>
      </div>
      <SimpleList<User>
        noun="users"
        plural="users"
        columns={columns(session.user.id)}
        rowId={(user) => user.id}
        rowLabel={(user) => user.name}
        empty="Somebody is signed in, so this list should not be empty."
      />
    </Page>
  );
}

import { TextInput } from "@mantine/core";
import { useState } from "react";
import { call } from "../../api/http";
import type { CreatedToken, Token } from "../../api/types";
import { SETTINGS } from "../../app/nav";
import { Page } from "../../app/page";
import { words } from "../../format/text";
import { date } from "../../format/time";
import type { Column } from "../../list/column";
import { Code } from "../../parts/copy";
import { Tag } from "../../parts/tag";
import { Time, useNow } from "../../parts/time";
import { Create } from "./create";
import { GrantFields, grantBody, NO_GRANT } from "./grant-fields";
import { RowAction } from "./row-action";
import css from "./settings.module.css";
import { SimpleList } from "./simple-list";

/** Days a new token lives unless chosen otherwise: a token always expires. */
const DEFAULT_LIFE = 30;
const DAY = 86_400_000;

function Expiry({ token }: { token: Token }) {
  const now = useNow();
  return token.expires < now ? <Tag>expired</Tag> : <Time at={token.expires} />;
}

const COLUMNS: readonly Column<Token>[] = [
  { id: "name", title: "Token", card: "title", cell: (token) => token.name },
  { id: "role", title: "Role", width: "17%", card: "badge", cell: (token) => words(token.role) },
  {
    id: "scope",
    title: "Scope",
    width: "24%",
    cell: (token) => (
      <>
        <span className="mono">{token.scope}</span> {token.namespaces?.map((each) => <Tag key={each}>{each}</Tag>)}
      </>
    ),
  },
  { id: "used", title: "Last used", width: "120px", cell: (token) => <Time at={token.last_used} /> },
  { id: "expires", title: "Expires", width: "120px", cell: (token) => <Expiry token={token} /> },
  {
    id: "actions",
    title: "Actions",
    width: "100px",
    cell: (token) => (
      <RowAction
        label="Delete"
        title="Delete token"
        about={token.name}
        noun="tokens"
        run={() => call("DELETE", `/tokens/${token.id}`)}
      >
        Whatever uses {token.name} is refused from now on.
      </RowAction>
    ),
  },
];

export function Tokens() {
  const later = () => date(Date.now() + DEFAULT_LIFE * DAY);
  const [name, setName] = useState("");
  const [grant, setGrant] = useState(NO_GRANT);
  const [expires, setExpires] = useState(later);
  return (
    <Page title="Settings" tabs={{ label: "Settings", items: SETTINGS }}>
      <div className={css.bar}>
        <p>For scripts and pipelines. A token is a role at a scope, and always expires.</p>
        <Create<CreatedToken>
          label="New token"
          title="Create token"
          noun="tokens"
          ready={name.trim() !== "" && expires !== ""}
          run={() =>
            call("POST", "/tokens", { body: { name: name.trim(), ...grantBody(grant), expires: Date.parse(expires) } })
          }
          answer={({ token }) => (
            <>
              <div className={css.once}>Copy it now: it is not shown again.</div>
              <Code text={token} label="token" />
            </>
          )}
          reset={() => {
            setName("");
            setGrant(NO_GRANT);
            setExpires(later());
          }}
        >
          <TextInput label="Name" value={name} onChange={(event) => setName(event.currentTarget.value)} data-autofocus />
          <GrantFields grant={grant} onChange={setGrant} />
          <TextInput
            label="Expires"
            type="date"
            value={expires}
            onChange={(event) => setExpires(event.currentTarget.value)}
          />
        </Create>
      </div>
      <SimpleList<Token>
        noun="tokens"
        plural="tokens"
        columns={COLUMNS}
        rowId={(token) => token.id}
        rowLabel={(token) => token.name}
        empty="Create one for scripts; they send it as Authorization: Bearer TOKEN."
      />
    </Page>
  );
}

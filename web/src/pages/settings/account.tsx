// Who is signed in, with which roles; the own password.
import { Button } from "@mantine/core";
import { useSession } from "../../api/session";
import { SETTINGS } from "../../app/nav";
import { Page } from "../../app/page";
import { words } from "../../format/text";
import { Facts } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Panel } from "../../parts/section";
import { Tag } from "../../parts/tag";
import { PasswordFields, usePasswordForm } from "../sign-in/password-form";
import css from "./settings.module.css";

export function Account() {
  const session = useSession();
  const form = usePasswordForm();
  return (
    <Page title="Settings" tabs={{ label: "Settings", items: SETTINGS }}>
      <div className={css.narrow}>
        <Panel title="Account">
          <Facts
            facts={[
              ["User", session.user.name],
              ["Hub", session.hub.version],
              ["Feeds", session.hub.feeds_note],
              [
                "Roles",
                <ul className={css.plain}>
                  {session.roles.map((role) => (
                    <li key={role.role + role.scope}>
                      {words(role.role)} <span className="mono muted">{role.scope}</span>{" "}
                      {role.namespaces?.map((namespace) => (
                        <Tag key={namespace}>{namespace}</Tag>
                      ))}
                    </li>
                  ))}
                </ul>,
              ],
            ]}
          />
        </Panel>
        <Panel title="Change password">
          <form className={css.short} onSubmit={form.submit}>
            <PasswordFields form={form} />
            {form.failure !== null && <Failure error={form.failure} />}
            {form.done && <Tag tone="good">Password changed</Tag>}
            <div>
              <Button type="submit" loading={form.pending}>
                Change password
              </Button>
            </div>
          </form>
        </Panel>
      </div>
    </Page>
  );
}

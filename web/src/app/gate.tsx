// Who may see what: the sign-in form, the forced password change, or the console. The address never changes.
import { Loader } from "@mantine/core";
import { useSessionQuery, SessionContext } from "../api/session";
import { PasswordChange } from "../pages/sign-in/password-change";
import { SignIn } from "../pages/sign-in/sign-in";
import { Failure } from "../parts/failure";
import css from "./gate.module.css";
import { Shell } from "./shell";

export function Gate() {
  const session = useSessionQuery();
  if (session.isPending) {
    return (
      <div className={css.waiting} role="status" aria-label="Loading">
        <Loader size="sm" />
      </div>
    );
  }
  if (session.data === undefined) {
    return (
      <main className={css.waiting}>
        <Failure error={session.error} retry={() => void session.refetch()} />
      </main>
    );
  }
  if (session.data === null) return <SignIn />;
  return (
    <SessionContext value={session.data}>
      {session.data.user.must_change_password ? <PasswordChange /> : <Shell />}
    </SessionContext>
  );
}

// Shown until the first password has been replaced; nothing else is allowed before.
import { Button } from "@mantine/core";
import { useEffect } from "react";
import { useSession } from "../../api/session";
import { Failure } from "../../parts/failure";
import { Card } from "./card";
import { PasswordFields, usePasswordForm } from "./password-form";

export function PasswordChange() {
  const session = useSession();
  const form = usePasswordForm();
  useEffect(() => {
    document.title = "Choose a password · Seawall";
  }, []);
  return (
    <Card
      title="Choose a new password"
      lead={`${session.user.name}, your password was set by someone else. Replace it to go on.`}
      onSubmit={form.submit}
    >
      <PasswordFields form={form} />
      {form.failure !== null && <Failure error={form.failure} />}
      <Button type="submit" size="sm" loading={form.pending}>
        Change password
      </Button>
    </Card>
  );
}

import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, type SyntheticEvent } from "react";
import { call, HubError } from "../../api/http";
import { setSession } from "../../api/session";
import type { Session } from "../../api/types";
import { Failure } from "../../parts/failure";
import { Card } from "./card";

export function SignIn() {
  const client = useQueryClient();
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const enter = useMutation({
    mutationFn: () => call<Session>("POST", "/session", { body: { user, password } }),
    onSuccess: (session) => setSession(client, session),
  });
  useEffect(() => {
    document.title = "Sign in · Seawall";
  }, []);

  function submit(event: SyntheticEvent): void {
    event.preventDefault();
    enter.mutate();
  }

  const wrong = enter.error instanceof HubError && enter.error.status === 401;
  return (
    <Card title="Sign in" onSubmit={submit}>
      <TextInput
        label="User"
        name="user"
        autoComplete="username"
        autoFocus
        required
        withAsterisk={false}
        value={user}
        onChange={(event) => setUser(event.currentTarget.value)}
      />
      <PasswordInput
        label="Password"
        name="password"
        autoComplete="current-password"
        required
        withAsterisk={false}
        value={password}
        error={wrong ? "User or password is wrong" : null}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {enter.error && !wrong && <Failure error={enter.error} />}
      <Button type="submit" size="sm" loading={enter.isPending}>
        Sign in
      </Button>
      <p className="muted">
        The first start of <span className="mono">seawall up</span> prints the first user's password, once. Lost it? End the hub and run{" "}
        <span className="mono">seawall hub reset-password</span> with its <span className="mono">--data-dir</span>.
      </p>
    </Card>
  );
}

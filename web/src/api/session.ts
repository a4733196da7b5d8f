// Who is signed in and what they may do. Actions that are not in `session.actions` are never drawn.
import { queryOptions, useQuery, type QueryClient } from "@tanstack/react-query";
import { createContext, use } from "react";
import { call, HubError } from "./http";
import type { ActionName, Session } from "./types";

export const PASSWORD_CHANGE_REQUIRED = "/problems/password-change-required";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async ({ signal }): Promise<Session | null> => {
    try {
      return await call<Session>("GET", "/session", { signal });
    } catch (error) {
      if (error instanceof HubError && error.status === 401) return null;
      throw error;
    }
  },
  staleTime: 60_000,
});

export function useSessionQuery() {
  return useQuery(sessionQuery);
}

/** Somebody else, or nobody, is signed in from here on: what was asked for before is forgotten. */
export function setSession(client: QueryClient, session: Session | null): void {
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionQuery.queryKey[0] });
  client.setQueryData(sessionQuery.queryKey, session);
}

export const SessionContext = createContext<Session | null>(null);

/** Only below the gate, where somebody is signed in. */
export function useSession(): Session {
  const session = use(SessionContext);
  if (!session) throw new Error("useSession outside a signed-in page");
  return session;
}

export function useMay(action: ActionName): boolean {
  return useSession().actions.includes(action);
}

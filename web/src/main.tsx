import "./theme/mantine.css";
import "./theme/tokens.css";
import "./theme/base.css";
import { MantineProvider } from "@mantine/core";
import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { HubError } from "./api/http";
import { PASSWORD_CHANGE_REQUIRED, sessionQuery, setSession } from "./api/session";
import { router } from "./app/router";
import { theme, variables } from "./theme/theme";

/** The hub writes a fresh nonce into every answer; style elements made at run time carry it. */
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
setNonce(nonce);

/** A session that ended or may only change its password is looked at again; the gate then shows the right form. */
function onError(error: unknown): void {
  if (!(error instanceof HubError)) return;
  if (error.status === 401) setSession(client, null);
  if (error.problem.type === PASSWORD_CHANGE_REQUIRED) void client.invalidateQueries(sessionQuery);
}

const client = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      // The stream says what changed; this is for what it does not name.
      staleTime: 30_000,
      retry: (failures, error) => failures < 2 && !(error instanceof HubError && error.status >= 400 && error.status < 500),
    },
  },
});

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={variables}
        defaultColorScheme="auto"
        getStyleNonce={() => nonce}
      >
        <QueryClientProvider client={client}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  );
}

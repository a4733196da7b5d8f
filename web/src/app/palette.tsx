// Ctrl-K: pages by name, and every noun the hub's search knows.
import { Modal, VisuallyHidden } from "@mantine/core";
import { Spotlight } from "@mantine/spotlight";
import { useDebouncedValue } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { documentQuery } from "../api/queries";
import { useSession } from "../api/session";
import type { SearchHit } from "../api/types";
import { words } from "../format/text";
import { SeverityIcon } from "../parts/severity";
import { ADMISSION, INVENTORY, SECTIONS, SETTINGS } from "./nav";
import css from "./palette.module.css";

/** Where the hub's nouns are shown; a noun without a page is not offered. */
const PAGES: Record<string, string> = {
  alert: "/alerts",
  recommendation: "/recommendations",
  image: "/images",
  asset: "/inventory/assets",
  cluster: "/clusters",
  agent: "/inventory/agents",
  package: "/inventory/packages",
  policy_set: "/admission/policy-sets",
  exemption: "/exemptions",
};

export function Palette() {
  const [text, setText] = useState("");
  const [asked] = useDebouncedValue(text.trim(), 150);
  const navigate = useNavigate();
  const session = useSession();
  const found = useQuery({
    ...documentQuery<{ items: SearchHit[] }>("search", { q: asked }),
    enabled: asked.length >= 2,
  });
  const pages = [...SECTIONS, ...ADMISSION, ...INVENTORY, ...SETTINGS].filter(
    (page) =>
      page.title.toLowerCase().includes(text.trim().toLowerCase()) &&
      (!("needs" in page) || page.needs === undefined || session.actions.includes(page.needs)),
  );
  const hits = asked.length >= 2 ? (found.data?.items ?? []) : [];
  const offered = hits.filter((hit) => singular(hit.noun) in PAGES);
  return (
    <Spotlight.Root query={text} onQueryChange={setText} scrollable maxHeight={420} shortcut="mod + K" tagsToIgnore={[]} centered={false} overlayProps={{ backgroundOpacity: 0.4 }}>
      <VisuallyHidden>
        <Modal.Title>Search</Modal.Title>
      </VisuallyHidden>
      <Spotlight.Search placeholder="Search pages, alerts, images, workloads…" leftSection={<IconSearch size={17} />} />
      <Spotlight.ActionsList>
        {offered.length > 0 && (
          <Spotlight.ActionsGroup label="Found">
            {offered.map((hit) => (
              <Spotlight.Action
                key={`${hit.noun}/${hit.id}`}
                onClick={() => void navigate({ to: PAGES[singular(hit.noun)] ?? "/", search: { open: hit.id } })}
              >
                <span className={css.hit}>
                  {hit.severity !== null && <SeverityIcon severity={hit.severity} />}
                  <span className={css.title}>{hit.title}</span>
                  <span className={css.subtitle}>
                    {[words(singular(hit.noun)), hit.subtitle].filter((part) => part !== "").join(" · ")}
                  </span>
                </span>
              </Spotlight.Action>
            ))}
          </Spotlight.ActionsGroup>
        )}
        {pages.length > 0 && (
          <Spotlight.ActionsGroup label="Pages">
            {pages.map((page) => (
              <Spotlight.Action key={page.to} label={page.title} onClick={() => void navigate({ to: page.to })} />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {pages.length === 0 && offered.length === 0 && (
          <Spotlight.Empty>{found.isFetching ? "Searching…" : "Nothing found"}</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}

function singular(noun: string): string {
  return noun.replace(/s$/, "");
}

// A page's heading, and the tabs of its section where it has any.
import { Link, useRouterState } from "@tanstack/react-router";
import { useEffect, type ReactNode } from "react";
import { useSession } from "../api/session";
import type { Tab } from "./nav";
import css from "./page.module.css";

interface PageProps {
  title: string;
  lead?: ReactNode;
  aside?: ReactNode;
  tabs?: { label: string; items: readonly Tab[] };
  children: ReactNode;
}

export function Page({ title, lead, aside, tabs, children }: PageProps) {
  const session = useSession();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    document.title = `${title} · Seawall`;
  }, [title]);
  return (
    <>
      <div className={css.head}>
        <div>
          <h1>{title}</h1>
          {lead !== undefined && <p>{lead}</p>}
        </div>
        {aside}
      </div>
      {tabs && (
        <nav className={css.tabs} aria-label={tabs.label}>
          {tabs.items
            .filter((tab) => tab.needs === undefined || session.actions.includes(tab.needs))
            .map((tab) => (
              <Link key={tab.to} to={tab.to} aria-current={path === tab.to ? "page" : undefined}>
                {tab.title}
              </Link>
            ))}
        </nav>
      )}
      {children}
    </>
  );
}

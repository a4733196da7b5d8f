// The frame around every page: side bar, live state, palette, help.
import { ActionIcon, Burger, Drawer, Kbd, Menu, Tooltip, UnstyledButton } from "@mantine/core";
import { useDisclosure, useHotkeys } from "@mantine/hooks";
import { spotlight } from "@mantine/spotlight";
import { IconHelp, IconKeyboard, IconLogout, IconSearch, IconUserCircle } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { useEffect } from "react";
import { call } from "../api/http";
import { documentQuery } from "../api/queries";
import { setSession, useSession } from "../api/session";
import { useStream, type StreamState } from "../api/stream";
import type { Overview } from "../api/types";
import { count } from "../format/text";
import { Dot, type Tone } from "../parts/tag";
import { Logo } from "./logo";
import { SECTIONS } from "./nav";
import { Palette } from "./palette";
import { SchemeToggle } from "./scheme";
import css from "./shell.module.css";
import { Shortcuts } from "./shortcuts";

export function Shell() {
  const [menu, { toggle, close }] = useDisclosure(false);
  const [help, { open: openHelp, close: closeHelp }] = useDisclosure(false);
  const stream = useStream();
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(close, [path, close]);
  useHotkeys([["shift+?", openHelp], ["?", openHelp]]);
  return (
    <div className={css.shell}>
      <a className="skip-link" href="#main">
        Skip to content
      </a>
      <header className={css.bar}>
        <Burger opened={menu} onClick={toggle} size="sm" aria-label="Menu" aria-expanded={menu} />
        <Link to="/" className={css.home} aria-label="Seawall, overview">
          <Logo />
        </Link>
        <ActionIcon size="lg" aria-label="Search" onClick={spotlight.open}>
          <IconSearch size={18} />
        </ActionIcon>
      </header>
      <div className={css.side}>
        <Sidebar path={path} stream={stream} onHelp={openHelp} />
      </div>
      <Drawer.Root opened={menu} onClose={close} size={264}>
        <Drawer.Overlay backgroundOpacity={0.3} />
        <Drawer.Content aria-label="Menu">
          <div className={css.drawer}>
            <Sidebar path={path} stream={stream} onHelp={openHelp} />
          </div>
        </Drawer.Content>
      </Drawer.Root>
      <main id="main" className={css.main} tabIndex={-1}>
        <Outlet />
      </main>
      <Palette />
      <Shortcuts opened={help} onClose={closeHelp} />
    </div>
  );
}

/** Milliseconds; a cluster is stale after 30 s. */
const OVERVIEW_INTERVAL = 30_000;

interface SidebarProps {
  path: string;
  stream: StreamState;
  onHelp: () => void;
}

function Sidebar({ path, stream, onHelp }: SidebarProps) {
  // A cluster that falls silent sends no event, so the badges beside its name need a question now and then.
  const overview = useQuery({ ...documentQuery<Overview>("overview"), refetchInterval: OVERVIEW_INTERVAL });
  const urgent = (overview.data?.alerts.critical ?? 0) + (overview.data?.alerts.high ?? 0);
  return (
    <>
      <Link to="/" className={css.home} aria-label="Seawall, overview">
        <Logo />
      </Link>
      <UnstyledButton className={css.search} onClick={spotlight.open}>
        <IconSearch size={14} aria-hidden />
        <span>Search</span>
        <Kbd size="xs">Ctrl K</Kbd>
      </UnstyledButton>
      <nav aria-label="Main" className={css.nav}>
        {SECTIONS.map(({ to, title, icon: Icon }) => {
          const active = to === "/" ? path === "/" : path === to || path.startsWith(`${to}/`);
          return (
            <Link key={to} to={to} className={css.item} aria-current={active ? "page" : undefined}>
              <Icon size={17} stroke={1.700} aria-hidden />
              <span>{title}</span>
              {to === "/alerts" && urgent > 0 && (
                <span className={css.count} aria-label={`${urgent} critical or high`}>
                  {count(urgent)}
                </span>
              )}
            </Link>
          );
        })}
      </nav>
      <div className={css.foot}>
        <Live state={stream} />
        <div className={css.tools}>
          <SchemeToggle />
          <Tooltip label="Keyboard shortcuts">
            <ActionIcon aria-label="Keyboard shortcuts" onClick={onHelp}>
              <IconKeyboard size={17} />
            </ActionIcon>
          </Tooltip>
          <UserMenu onHelp={onHelp} />
        </div>
      </div>
    </>
  );
}

const STREAM: Record<StreamState, { tone: Tone; text: string; title: string }> = {
  connecting: { tone: "warn", text: "Connecting", title: "Waiting for the hub's event stream" },
  live: { tone: "good", text: "Live", title: "Changes appear as they happen" },
  lost: { tone: "bad", text: "Reconnecting", title: "The event stream broke; what you see may be old" },
};

function Live({ state }: { state: StreamState }) {
  const { tone, text, title } = STREAM[state];
  return (
    <span role="status" className={css.live} data-stream={state}>
      <Dot tone={tone} title={title}>
        {text}
      </Dot>
    </span>
  );
}

function UserMenu({ onHelp }: { onHelp: () => void }) {
  const session = useSession();
  const client = useQueryClient();
  const leave = useMutation({
    mutationFn: () => call<undefined>("DELETE", "/session"),
    onSettled: () => setSession(client, null),
  });
  return (
    <Menu position="top-end">
      <Menu.Target>
        <ActionIcon aria-label={`Signed in as ${session.user.name}`}>
          <IconUserCircle size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session.user.name} · {session.hub.version}
        </Menu.Label>
        <Menu.Item component={Link} to="/settings/account" leftSection={<IconUserCircle size={15} />}>
          Account
        </Menu.Item>
        <Menu.Item onClick={onHelp} leftSection={<IconHelp size={15} />}>
          Keyboard shortcuts
        </Menu.Item>
        <Menu.Item onClick={() => leave.mutate()} leftSection={<IconLogout size={15} />}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

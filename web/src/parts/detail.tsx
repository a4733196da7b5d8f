// The drawer that opens over a list: one item, its actions at the top, the list still behind it.
import { ActionIcon, Drawer, Skeleton } from "@mantine/core";
import { IconX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { HubError } from "../api/http";
import { itemQuery } from "../api/queries";
import { Empty } from "./empty";
import css from "./detail.module.css";
import { Failure } from "./failure";

interface SheetProps {
  /** What a screen reader hears of the drawer, also while its item is on the way. */
  title: string | undefined;
  close: () => void;
  head?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

export function Sheet({ title, close, head, actions, children }: SheetProps) {
  return (
    <Drawer.Root opened onClose={close} position="right" size={780} lockScroll={false}>
      <Drawer.Overlay backgroundOpacity={0.18} />
      <Drawer.Content classNames={{ content: css.content }} aria-label={title ?? "Detail"}>
        <div className={css.top}>
          <div className={css.head}>
            <div className={css.title}>
              {head}
              {title !== undefined && <h2>{title}</h2>}
            </div>
            <ActionIcon size="md" aria-label="Close" onClick={close} data-autofocus>
              <IconX size={17} />
            </ActionIcon>
          </div>
          {actions !== undefined && <div className={css.actions}>{actions}</div>}
        </div>
        <div className={css.body}>{children}</div>
      </Drawer.Content>
    </Drawer.Root>
  );
}

interface DetailProps<T> {
  noun: string;
  id: string;
  close: () => void;
  head: (item: T) => ReactNode;
  title: (item: T) => string;
  actions?: (item: T) => ReactNode;
  children: (item: T) => ReactNode;
}

export function Detail<T>({ noun, id, close, head, title, actions, children }: DetailProps<T>) {
  const item = useQuery(itemQuery<T>(noun, id));
  const gone = item.error instanceof HubError && item.error.status === 404;
  return (
    <Sheet
      title={item.data && title(item.data)}
      close={close}
      head={item.data && head(item.data)}
      actions={item.data && actions?.(item.data)}
    >
      {item.isPending && <Skeleton height={160} />}
      {gone && <Empty title="It is no longer there, or outside your scopes" />}
      {item.error && !gone && <Failure error={item.error} retry={() => void item.refetch()} />}
      {item.data && children(item.data)}
    </Sheet>
  );
}

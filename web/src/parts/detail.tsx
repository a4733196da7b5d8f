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
    <Drawer.Root opened onClose={close} position="right" size={780} lockScroll={false}>
      <Drawer.Overlay backgroundOpacity={0.18} />
      <Drawer.Content classNames={{ content: css.content }} aria-label={item.data ? title(item.data) : "Detail"}>
        <div className={css.top}>
          <div className={css.head}>
            <div className={css.title}>
              {item.data && head(item.data)}
              {item.data && <h2>{title(item.data)}</h2>}
            </div>
            <ActionIcon size="md" aria-label="Close" onClick={close} data-autofocus>
              <IconX size={17} />
            </ActionIcon>
          </div>
          {item.data && actions && <div className={css.actions}>{actions(item.data)}</div>}
        </div>
        <div className={css.body}>
          {item.isPending && <Skeleton height={160} />}
          {gone && <Empty title="It is no longer there, or outside your scopes" />}
          {item.error && !gone && <Failure error={item.error} retry={() => void item.refetch()} />}
          {item.data && children(item.data)}
        </div>
      </Drawer.Content>
    </Drawer.Root>
  );
}

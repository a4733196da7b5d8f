// A short list without a query bar, with an action per row or a drawer behind each.
import { Button } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { listQuery } from "../../api/queries";
import type { Column } from "../../list/column";
import { Table } from "../../list/table";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { rowLink, useSearchState } from "../../list/list";
import { nextSort } from "../../list/search";
import { openRow, stepRow } from "../../list/step";
import css from "../../list/list.module.css";

interface SimpleListProps<T> {
  noun: string;
  plural: string;
  columns: readonly Column<T>[];
  rowId: (row: T) => string;
  rowLabel: (row: T) => string;
  empty: ReactNode;
  below?: (row: T) => ReactNode;
  /** Rows open it. */
  drawer?: (id: string, close: () => void) => ReactNode;
}

export function SimpleList<T>(props: SimpleListProps<T>) {
  const [search, change] = useSearchState();
  const list = useInfiniteQuery(listQuery<T>(props.noun, { sort: search.sort }));
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  useHotkeys([
    ["j", () => stepRow(1)],
    ["k", () => stepRow(-1)],
    ["Enter", () => openRow()],
  ]);
  if (list.error) return <Failure error={list.error} retry={() => void list.refetch()} />;
  return (
    <>
      <div className={css.surface}>
        {list.data && rows.length === 0 && <Empty title={`No ${props.plural}`}>{props.empty}</Empty>}
        {rows.length > 0 && (
          <Table<T>
            label={props.plural}
            columns={props.columns}
            rows={rows}
            rowId={props.rowId}
            rowLabel={props.rowLabel}
            sort={search.sort}
            onSort={(column) => change({ sort: nextSort(search.sort, column) })}
            open={search.open}
            {...(props.below && { below: props.below })}
            {...(props.drawer && { link: rowLink(props.rowId) })}
          />
        )}
      </div>
      {list.hasNextPage && (
        <div className={css.foot}>
          <span />
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Load more
          </Button>
        </div>
      )}
      {props.drawer && search.open !== undefined && props.drawer(search.open, () => change({ open: undefined, tab: undefined }))}
    </>
  );
}

// A settings table: short lists without a query bar, with an action per row.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { listQuery } from "../../api/queries";
import type { Column } from "../../list/column";
import { Table } from "../../list/table";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { useSearchState } from "../../list/list";
import { nextSort } from "../../list/search";
import css from "../../list/list.module.css";

interface SimpleListProps<T> {
  noun: string;
  plural: string;
  columns: readonly Column<T>[];
  rowId: (row: T) => string;
  rowLabel: (row: T) => string;
  empty: ReactNode;
  below?: (row: T) => ReactNode;
}

export function SimpleList<T>(props: SimpleListProps<T>) {
  const [search, change] = useSearchState();
  const list = useInfiniteQuery(listQuery<T>(props.noun, { sort: search.sort }));
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
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
            {...(props.below && { below: props.below })}
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
    </>
  );
}

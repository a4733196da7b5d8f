// A list page: query bar, facets, table, pages, drawer. Filter, sort, columns and the open item live in the URL.
import { Button, Skeleton } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { HubError, type Query } from "../api/http";
import { listQuery } from "../api/queries";
import { count } from "../format/text";
import { Empty } from "../parts/empty";
import { Failure } from "../parts/failure";
import type { Column } from "./column";
import { ColumnsMenu, ExportMenu } from "./list-tools";
import css from "./list.module.css";
import { QueryBar } from "./query-bar";
import { nextSort, readSearch, shownColumns, type Search } from "./search";
import { openRow, stepRow } from "./step";
import { Table, type Selection } from "./table";

interface ListProps<T> {
  /** The noun's path, which is also its filter's name. */
  noun: string;
  /** What one row is called, in the plural: "alerts". */
  plural: string;
  columns: readonly Column<T>[];
  rowId: (row: T) => string;
  rowLabel: (row: T) => string;
  /** Shown when there is nothing at all, not when a filter hides everything. */
  empty: ReactNode;
  facets?: (filter: string, onFilter: (filter: string) => void) => ReactNode;
  /** Rows that open a drawer. */
  opens?: boolean;
  drawer?: (id: string, close: () => void) => ReactNode;
  select?: { selection: (rows: readonly T[]) => Selection; bar: (filter: string, total: number) => ReactNode };
}

/** The page's search and a way to change some of it. */
export function useSearchState(): [Search, (change: Partial<Search>) => void] {
  const search = readSearch(useSearch({ strict: false }));
  const navigate = useNavigate();
  return [
    search,
    (change) => void navigate({ to: ".", search: (before: Search) => readSearch({ ...before, ...change }) }),
  ];
}

export function List<T>(props: ListProps<T>) {
  const [search, change] = useSearchState();
  const filter = search.filter ?? "";
  const query: Query = { filter, sort: search.sort };
  const list = useInfiniteQuery(listQuery<T>(props.noun, query));
  const rows = list.data?.pages.flatMap((page) => page.items) ?? [];
  const total = list.data?.pages[0]?.total;
  const shown = shownColumns(props.columns, search.columns);
  const columns = props.columns.filter((column) => shown.includes(column.id));
  const refused = list.error instanceof HubError && list.error.status === 400 && filter !== "";
  const close = () => change({ open: undefined, tab: undefined });

  useHotkeys([
    ["j", () => stepRow(1)],
    ["k", () => stepRow(-1)],
    ["Enter", () => openRow()],
  ]);

  const blank = total?.value === 0 && filter === "";
  const selection = props.select?.selection(rows);
  return (
    <>
      {!blank && (
        <div className={css.tools}>
          <QueryBar
            noun={props.noun}
            filter={filter}
            error={refused ? reason(list.error) : null}
            onApply={(next) => change({ filter: next })}
          />
          <ColumnsMenu
            columns={props.columns}
            shown={shown}
            onChange={(next) => change({ columns: next.join(",") })}
          />
          <ExportMenu noun={props.noun} query={query} />
        </div>
      )}
      <div className={css.body}>
        {!blank && props.facets?.(filter, (next) => change({ filter: next }))}
        <div className={css.main}>
          <div className={css.surface}>
            {list.error && !refused && <Failure error={list.error} retry={() => void list.refetch()} />}
            {refused && <Empty title="This filter cannot be read">The words under the query bar say where it fails.</Empty>}
            {list.isPending && <Waiting />}
            {blank && props.empty}
            {total?.value === 0 && !blank && (
              <Empty
                title={`No ${props.plural} match this filter`}
                action={
                  <Button variant="default" onClick={() => change({ filter: "" })}>
                    Clear filter
                  </Button>
                }
              />
            )}
            {rows.length > 0 && (
              <Table<T>
                label={props.plural}
                columns={columns}
                rows={rows}
                rowId={props.rowId}
                rowLabel={props.rowLabel}
                open={search.open}
                sort={search.sort}
                onSort={(column) => change({ sort: nextSort(search.sort, column) })}
                selection={selection}
                {...(props.opens === true && { link: rowLink(props.rowId) })}
              />
            )}
          </div>
          {rows.length > 0 && total && (
            <div className={css.foot}>
              <span>
                {count(rows.length)} of {total.exact ? "" : "about "}
                {count(total.value)} {props.plural}
              </span>
              {list.hasNextPage && (
                <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
                  Load more
                </Button>
              )}
            </div>
          )}
        </div>
      </div>
      {props.select?.bar(filter, total?.value ?? 0)}
      {props.drawer && search.open !== undefined && props.drawer(search.open, close)}
    </>
  );
}

/** The link around a row's title that opens its drawer. */
export function rowLink<T>(rowId: (row: T) => string) {
  return function link(row: T, content: ReactNode) {
    return (
      <Link
        to="."
        search={(before: Search) => ({ ...before, open: rowId(row), tab: undefined })}
        className={css.link}
        data-row-link
        resetScroll={false}
      >
        {content}
      </Link>
    );
  };
}

function reason(error: unknown): string {
  if (!(error instanceof HubError)) return "";
  const errors = error.problem.errors?.map((each) => each.detail).join("; ");
  return errors === undefined || errors === "" ? error.message : errors;
}

function Waiting() {
  return (
    <div className={css.waiting} role="status" aria-label="Loading">
      {Array.from({ length: 8 }, (_, index) => (
        <Skeleton key={index} height={20} radius="sm" />
      ))}
    </div>
  );
}

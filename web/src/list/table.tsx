// Rows and columns, as a table where there is room and as cards where there is none. The hub sorts and cuts pages,
// so the table only draws. A row's title is a link: Tab, `j` and `k` reach it, Enter opens it.
import { Checkbox } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconArrowDown, IconArrowUp } from "@tabler/icons-react";
import type { MouseEvent, ReactNode } from "react";
import type { Column } from "./column";
import css from "./table.module.css";

export interface Selection {
  ids: ReadonlySet<string>;
  toggle: (id: string) => void;
  all: () => void;
}

export interface TableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[];
  rowId: (row: T) => string;
  rowLabel: (row: T) => string;
  /** The link around a row's title, where rows open. */
  link?: (row: T, content: ReactNode) => ReactNode;
  open?: string | undefined;
  sort?: string | undefined;
  onSort?: (column: string) => void;
  selection?: Selection | undefined;
  /** Drawn under a row. */
  below?: (row: T) => ReactNode;
}

const NARROW = "(max-width: 760px)";

export function Table<T>(props: TableProps<T>) {
  const narrow = useMediaQuery(NARROW, window.matchMedia(NARROW).matches, { getInitialValueInEffect: false });
  return narrow ? <Cards {...props} /> : <Grid {...props} />;
}

function title<T>({ link }: TableProps<T>, column: Column<T>, row: T): ReactNode {
  const content = column.cell(row);
  return column.card === "title" && link ? link(row, content) : content;
}

/** A click anywhere on a row follows its link, except on what has a use of its own or ends a text selection. */
function follow(event: MouseEvent<HTMLElement>): void {
  const target = event.target as HTMLElement;
  if (target.closest("a, button, input, label") !== null || window.getSelection()?.isCollapsed === false) return;
  event.currentTarget.querySelector<HTMLElement>("[data-row-link]")?.click();
}

function Grid<T>(props: TableProps<T>) {
  const { columns, rows, rowId, selection, below } = props;
  const span = columns.length + (selection ? 1 : 0);
  return (
    <div className={css.scroll} tabIndex={-1}>
      <table className={css.table} aria-label={props.label}>
        <thead>
          <tr>
            {selection && (
              <th className={css.check}>
                <Checkbox
                  size="xs"
                  aria-label="Select all shown"
                  checked={rows.length > 0 && rows.every((row) => selection.ids.has(rowId(row)))}
                  indeterminate={selection.ids.size > 0 && !rows.every((row) => selection.ids.has(rowId(row)))}
                  onChange={selection.all}
                />
              </th>
            )}
            {columns.map((column) => (
              <Heading key={column.id} column={column} sort={props.sort} onSort={props.onSort} />
            ))}
          </tr>
        </thead>
        {rows.map((row) => {
          const id = rowId(row);
          const under = below?.(row);
          return (
            <tbody key={id}>
              <tr
                className={props.link ? css.opens : undefined}
                data-row={id}
                data-open={props.open === id || undefined}
                data-selected={selection?.ids.has(id) || undefined}
                onClick={props.link ? follow : undefined}
              >
                {selection && <td className={css.check}>{checkbox(props, selection, row)}</td>}
                {columns.map((column) => (
                  <td key={column.id} data-align={column.align}>
                    {title(props, column, row)}
                  </td>
                ))}
              </tr>
              {under !== undefined && under !== null && (
                <tr className={css.below}>
                  <td colSpan={span}>{under}</td>
                </tr>
              )}
            </tbody>
          );
        })}
      </table>
    </div>
  );
}

interface HeadingProps<T> {
  column: Column<T>;
  sort: string | undefined;
  onSort: ((column: string) => void) | undefined;
}

function Heading<T>({ column, sort, onSort }: HeadingProps<T>) {
  const style = column.width === undefined ? undefined : { width: column.width };
  const name = column.sort;
  if (name === undefined || !onSort) {
    return (
      <th scope="col" style={style} data-align={column.align}>
        {column.heading ?? column.title}
      </th>
    );
  }
  const direction = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
  return (
    <th scope="col" style={style} data-align={column.align} aria-sort={direction}>
      <button type="button" className={css.sort} onClick={() => onSort(name)}>
        {column.heading ?? column.title}
        {direction === "ascending" && <IconArrowUp size={12} aria-hidden />}
        {direction === "descending" && <IconArrowDown size={12} aria-hidden />}
      </button>
    </th>
  );
}

function Cards<T>(props: TableProps<T>) {
  const { columns, rows, rowId, selection, below } = props;
  const badges = columns.filter((column) => column.card === "badge");
  const lines = columns.filter((column) => column.card === undefined || column.card === "line");
  const heading = columns.find((column) => column.card === "title");
  return (
    <ul className={css.cards} aria-label={props.label}>
      {rows.map((row) => (
        <li
          key={rowId(row)}
          className={props.link ? css.opens : undefined}
          data-row={rowId(row)}
          data-selected={selection?.ids.has(rowId(row)) || undefined}
          onClick={props.link ? follow : undefined}
        >
          <div className={css.cardHead}>
            {selection && checkbox(props, selection, row)}
            {badges.map((column) => (
              <span key={column.id}>{column.cell(row)}</span>
            ))}
          </div>
          {heading && <div className={css.cardTitle}>{title(props, heading, row)}</div>}
          <dl>
            {lines.map((column) => (
              <div key={column.id}>
                <dt>{column.heading ?? column.title}</dt>
                <dd>{column.cell(row)}</dd>
              </div>
            ))}
          </dl>
          {below?.(row)}
        </li>
      ))}
    </ul>
  );
}

function checkbox<T>({ rowId, rowLabel }: TableProps<T>, selection: Selection, row: T): ReactNode {
  const id = rowId(row);
  return (
    <Checkbox
      size="xs"
      aria-label={`Select ${rowLabel(row)}`}
      checked={selection.ids.has(id)}
      onChange={() => selection.toggle(id)}
    />
  );
}

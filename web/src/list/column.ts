// A column of a list: what it is called, how the hub sorts by it, and where it goes on a narrow screen.
import type { ReactNode } from "react";

export interface Column<T> {
  id: string;
  title: string;
  /** Drawn in the title's place, where that needs more than text. */
  heading?: ReactNode;
  /** The hub's name for sorting by it; a column without one cannot be sorted. */
  sort?: string;
  /** CSS width; columns without one share what is left. */
  width?: string;
  align?: "end";
  /** Not shown until chosen. */
  hidden?: boolean;
  /** On a narrow screen: the title, a badge beside it, or a labelled line (the default). */
  card?: "title" | "badge" | "line" | "none";
  cell: (row: T) => ReactNode;
}

// How much of each framework a scope satisfies.
import { ActionIcon, Skeleton, Tooltip } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { IconPrinter } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { topQuery } from "../../api/queries";
import type { FrameworkEntry } from "../../api/types";
import { Page } from "../../app/page";
import { count } from "../../format/text";
import type { Column } from "../../list/column";
import { useSearchState } from "../../list/list";
import { ExportMenu } from "../../list/list-tools";
import list from "../../list/list.module.css";
import { nextSort } from "../../list/search";
import { openRow, stepRow } from "../../list/step";
import { Table } from "../../list/table";
import { Failure } from "../../parts/failure";
import { ScopePicker } from "../overview/scope-picker";
import { Bar } from "./bar";
import css from "./compliance.module.css";
import { print } from "./print";
import { controlShares, percent } from "./standing";

/** More than any catalogue has. */
const MAX_FRAMEWORKS = 200;

const number = (id: "failing" | "unknown" | "passing" | "not_assessed", title: string, width: string): Column<FrameworkEntry> => ({
  id,
  title,
  sort: id,
  width,
  align: "end",
  cell: (framework) => <span className={framework[id] === 0 ? "muted" : undefined}>{count(framework[id])}</span>,
});

const COLUMNS: readonly Column<FrameworkEntry>[] = [
  {
    id: "framework",
    title: "Framework",
    sort: "title",
    card: "title",
    cell: (framework) => (
      <>
        {framework.title}
        <span className={css.id}>{framework.id}</span>
      </>
    ),
  },
  {
    id: "compliance",
    title: "Satisfied",
    sort: "compliance",
    width: "100px",
    align: "end",
    cell: (framework) => (
      <strong title="Mean over its controls of the resources that satisfy them">{percent(framework.compliance)}</strong>
    ),
  },
  {
    id: "coverage",
    title: "Covered",
    sort: "coverage",
    width: "96px",
    align: "end",
    cell: (framework) => <span title="Share of its questions that have an answer">{percent(framework.coverage === null ? null : framework.coverage * 100)}</span>,
  },
  {
    id: "controls",
    title: "Controls",
    sort: "controls",
    width: "190px",
    cell: (framework) => (
      <div className={css.bars}>
        <span>{count(framework.controls)}</span>
        <Bar shares={controlShares(framework)} />
      </div>
    ),
  },
  number("failing", "Failing", "88px"),
  number("unknown", "Unknown", "98px"),
  number("passing", "Passing", "92px"),
  number("not_assessed", "Not assessed", "124px"),
];

export function Compliance() {
  const [search, change] = useSearchState();
  const { scope, sort } = search;
  const frameworks = useQuery(topQuery<FrameworkEntry>("frameworks", MAX_FRAMEWORKS, { scope, sort }));
  const rows = frameworks.data?.items ?? [];
  useHotkeys([
    ["j", () => stepRow(1)],
    ["k", () => stepRow(-1)],
    ["Enter", () => openRow()],
  ]);
  const link = (framework: FrameworkEntry, content: ReactNode) => (
    <Link to="/compliance/$framework" params={{ framework: framework.name }} search={{ scope }} className={list.link} data-row-link>
      {content}
    </Link>
  );
  return (
    <Page
      title="Compliance"
      lead="How much of each framework is satisfied, and how much of it could be judged."
      aside={
        <div className={css.aside}>
          <ScopePicker scope={scope} onChange={(next) => change({ scope: next })} />
          <PrintButton />
          <ExportMenu noun="frameworks" query={{ scope, sort }} />
        </div>
      }
    >
      {frameworks.isPending && <Skeleton height={320} radius="md" />}
      {frameworks.error && <Failure error={frameworks.error} retry={() => void frameworks.refetch()} />}
      {rows.length > 0 && rows.every((framework) => framework.compliance === null) && <NothingAssessed />}
      {rows.length > 0 && (
        <div className={list.surface}>
          <Table<FrameworkEntry>
            label="Frameworks"
            columns={COLUMNS}
            rows={rows}
            rowId={(framework) => framework.id}
            rowLabel={(framework) => framework.title}
            link={link}
            sort={sort}
            onSort={(column) => change({ sort: nextSort(sort, column) })}
          />
        </div>
      )}
    </Page>
  );
}

export function NothingAssessed() {
  return (
    <p className={css.notice}>
      Nothing was assessed here yet, so no framework has a number. <Link to="/clusters">Enrol a cluster</Link>
    </p>
  );
}

export function PrintButton() {
  return (
    <Tooltip label="Print">
      <ActionIcon variant="default" size={36} aria-label="Print" onClick={print}>
        <IconPrinter size={17} />
      </ActionIcon>
    </Tooltip>
  );
}

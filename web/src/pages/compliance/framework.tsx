// One framework at a scope: its sections, their controls, and what stands behind each.
import { Skeleton } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { HubError } from "../../api/http";
import { documentQuery } from "../../api/queries";
import type { FrameworkDetail } from "../../api/types";
import { Page } from "../../app/page";
import { count, words } from "../../format/text";
import type { Column } from "../../list/column";
import { rowLink, useSearchState } from "../../list/list";
import { ExportMenu } from "../../list/list-tools";
import list from "../../list/list.module.css";
import { openRow, stepRow } from "../../list/step";
import { Table } from "../../list/table";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { SeverityBadge } from "../../parts/severity";
import { Dot, Tag } from "../../parts/tag";
import { ScopePicker } from "../overview/scope-picker";
import { Bar } from "./bar";
import { NothingAssessed, PrintButton } from "./compliance";
import css from "./compliance.module.css";
import { ControlSheet } from "./control";
import { CONTROL_STATES, controlsOf, judged, lines, MEANS, percent, resourceShares, resourceWords, stateOf, statesOf, TONES, type Line } from "./standing";

const NONE = <span className="muted">–</span>;

const SECTION: Column<Line> = {
  id: "section",
  title: "Section",
  width: "23%",
  cell: ({ section, repeats }) => (
    <span className={repeats ? "muted" : undefined}>
      {section.number !== null && <span className={css.number}>{section.number}</span>}{" "}
      {section.number === null ? (section.title ?? "Its own") : !repeats && section.title}
    </span>
  ),
};

const COLUMNS: readonly Column<Line>[] = [
  {
    id: "control",
    title: "Control",
    card: "title",
    cell: ({ control }) =>
      control === null ? (
        <span className={css.open}>No control answers this section: a person has to look.</span>
      ) : (
        <>
          {control.title} {control.preview && <Tag>Preview</Tag>}
          <span className={css.id}>{control.id}</span>
        </>
      ),
  },
  {
    id: "severity",
    title: "Severity",
    width: "108px",
    card: "badge",
    cell: ({ control }) => control && <SeverityBadge severity={control.severity} />,
  },
  {
    id: "state",
    title: "State",
    width: "126px",
    card: "badge",
    cell: ({ control }) =>
      control && (
        <Dot tone={TONES[control.state]} title={MEANS[control.state]}>
          {words(control.state)}
        </Dot>
      ),
  },
  {
    id: "resources",
    title: "Resources",
    width: "168px",
    cell: ({ control }) =>
      control === null || resourceWords(control) === "" ? (
        NONE
      ) : (
        <div className={css.resources}>
          <Bar shares={resourceShares(control)} />
          <span className="muted">{resourceWords(control)}</span>
        </div>
      ),
  },
  {
    id: "compliance",
    title: "Satisfied",
    width: "104px",
    align: "end",
    cell: ({ control }) =>
      control === null || control.compliance === null ? (
        NONE
      ) : (
        <>
          {percent(control.compliance)}
          {control.unknown > 0 && <span className={`${css.judged} muted`}>of {count(judged(control))} judged</span>}
        </>
      ),
  },
];

export function FrameworkPage() {
  const { framework: name = "" } = useParams({ strict: false });
  const [search, change] = useSearchState();
  const { scope, filter } = search;
  const framework = useQuery(documentQuery<FrameworkDetail>(`frameworks/${encodeURIComponent(name)}`, { scope }));
  const gone = framework.error instanceof HubError && framework.error.status === 404;
  const { data } = framework;
  useHotkeys([
    ["j", () => stepRow(1)],
    ["k", () => stepRow(-1)],
    ["Enter", () => openRow()],
  ]);
  const control = data && search.open !== undefined ? controlsOf(data.sections).get(search.open) : undefined;
  return (
    <Page
      title={data?.title ?? "Framework"}
      lead={data && `${data.id}, in ${data.scope}`}
      aside={
        <div className={css.aside}>
          <ScopePicker scope={scope} onChange={(next) => change({ scope: next })} />
          <PrintButton />
          <ExportMenu noun={`frameworks/${encodeURIComponent(name)}/controls`} query={{ scope, filter }} />
        </div>
      }
    >
      <p className={css.back}>
        <Link to="/compliance" search={{ scope }}>
          All frameworks
        </Link>
        {data && (
          <a href={data.source} target="_blank" rel="noreferrer">
            As its authors publish it
          </a>
        )}
      </p>
      {framework.isPending && <Skeleton height={320} radius="md" />}
      {gone && <Empty title="There is no such framework, or the scope is outside of yours" />}
      {framework.error && !gone && <Failure error={framework.error} retry={() => void framework.refetch()} />}
      {data && <Body framework={data} />}
      {data && control && <ControlSheet control={control} scope={data.scope} close={() => change({ open: undefined })} />}
    </Page>
  );
}

function Body({ framework }: { framework: FrameworkDetail }) {
  const [search, change] = useSearchState();
  const state = stateOf(search.filter);
  const rows = lines(framework.sections, state);
  const states = statesOf(framework.sections);
  const sectioned = framework.sections.some((section) => section.number !== null || section.title !== null);
  const link = rowLink<Line>((line) => line.control?.id ?? "");
  return (
    <>
      {framework.compliance === null && <NothingAssessed />}
      <div className={css.summary}>
        <Figure title="Satisfied" value={percent(framework.compliance)} />
        <Figure title="Covered" value={percent(framework.coverage === null ? null : framework.coverage * 100)} />
        <div className={css.states} role="group" aria-label="Controls by state">
          <StateButton title="All" amount={controlsOf(framework.sections).size} pressed={state === null} onPress={() => change({ filter: undefined })} />
          {CONTROL_STATES.filter((word) => states[word] > 0 || word === state).map((word) => (
            <StateButton
              key={word}
              title={words(word)}
              means={MEANS[word]}
              tone={TONES[word]}
              amount={states[word]}
              pressed={state === word}
              onPress={() => change({ filter: `state:${word}` })}
            />
          ))}
        </div>
      </div>
      <div className={list.surface}>
        {rows.length === 0 ? (
          <Empty title="No control is in this state" />
        ) : (
          <Table<Line>
            label="Controls"
            columns={sectioned ? [SECTION, ...COLUMNS] : COLUMNS}
            rows={rows}
            rowId={(line) => line.id}
            rowLabel={(line) => line.control?.title ?? line.section.title ?? ""}
            link={(line, content) => (line.control === null ? content : link(line, content))}
          />
        )}
      </div>
    </>
  );
}

function Figure({ title, value }: { title: string; value: string }) {
  return (
    <div className={css.figure}>
      <span className="muted">{title}</span>
      <strong>{value}</strong>
    </div>
  );
}

interface StateButtonProps {
  title: string;
  amount: number;
  pressed: boolean;
  onPress: () => void;
  means?: string;
  tone?: (typeof TONES)[keyof typeof TONES];
}

function StateButton({ title, amount, pressed, onPress, means, tone }: StateButtonProps) {
  return (
    <button type="button" className={css.state} aria-pressed={pressed} title={means} onClick={onPress}>
      {tone === undefined ? title : <Dot tone={tone}>{title}</Dot>}
      <span className={css.amount}>{count(amount)}</span>
    </button>
  );
}

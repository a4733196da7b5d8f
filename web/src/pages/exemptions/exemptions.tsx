import type { Exemption, ExemptionState } from "../../api/types";
import { Page } from "../../app/page";
import { count, words } from "../../format/text";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { Empty } from "../../parts/empty";
import { Dot, Tag, type Tone } from "../../parts/tag";
import { Time, useNow } from "../../parts/time";
import { ExemptionDetail } from "./detail";
import css from "./exemptions.module.css";

const TONES: Record<ExemptionState, Tone> = {
  requested: "warn",
  granted: "good",
  denied: "neutral",
  expired: "neutral",
  revoked: "neutral",
};

export function ExemptionStateDot({ state }: { state: ExemptionState }) {
  return <Dot tone={TONES[state]}>{words(state)}</Dot>;
}

/** An exemption that excuses nothing for this long, in milliseconds, is a warning. Source: platform.md. */
const IDLE = 7 * 86_400_000;

function Matches({ exemption }: { exemption: Exemption }) {
  const now = useNow();
  const idle = exemption.state === "granted" && exemption.matches === 0 && now - (exemption.last_match ?? exemption.created) > IDLE;
  return idle ? <Tag tone="warn">none for 7 d</Tag> : <>{count(exemption.matches)}</>;
}

const COLUMNS: readonly Column<Exemption>[] = [
  {
    id: "rule",
    title: "Exempts",
    card: "title",
    cell: (exemption) => (
      <div>
        {exemption.target.rule}
        <div className={css.second}>
          {[exemption.target.namespace, exemption.target.resource, exemption.target.package, exemption.target.path]
            .filter((part) => part !== null)
            .join(" / ") || "everywhere in its scope"}
        </div>
      </div>
    ),
  },
  { id: "state", title: "State", width: "112px", card: "badge", cell: (exemption) => <ExemptionStateDot state={exemption.state} /> },
  { id: "category", title: "Category", width: "124px", cell: (exemption) => words(exemption.category) },
  { id: "reason", title: "Reason", width: "26%", cell: (exemption) => exemption.reason },
  { id: "owner", title: "Owner", width: "110px", cell: (exemption) => exemption.owner },
  { id: "matches", title: "Matches", width: "128px", align: "end", cell: (exemption) => <Matches exemption={exemption} /> },
  { id: "expires", title: "Expires", sort: "expires", width: "116px", cell: (exemption) => <Time at={exemption.expires} /> },
  { id: "source", title: "Source", hidden: true, cell: (exemption) => words(exemption.source) },
  { id: "scope", title: "Scope", hidden: true, cell: (exemption) => <span className="mono">{exemption.scope}</span> },
  { id: "created", title: "Created", sort: "created", hidden: true, cell: (exemption) => <Time at={exemption.created} /> },
];

export function Exemptions() {
  return (
    <Page title="Exemptions" lead="Findings that are excused: by whom, why, until when, and what they still match.">
      <List<Exemption>
        noun="exemptions"
        plural="exemptions"
        columns={COLUMNS}
        rowId={(exemption) => exemption.id}
        rowLabel={(exemption) => exemption.target.rule}
        opens
        drawer={(id, close) => <ExemptionDetail id={id} close={close} />}
        empty={
          <Empty title="Nothing is exempt">
            An exemption is asked for where the finding is: open a recommendation and choose “Exempt…” at a resource.
          </Empty>
        }
      />
    </Page>
  );
}

// A control at a scope: why it matters, and every resource that fails it or of which nobody can tell.
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { itemQuery, topQuery } from "../../api/queries";
import type { Control, Finding, FrameworkControl } from "../../api/types";
import { count, plural, words } from "../../format/text";
import { Sheet } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Prose } from "../../parts/prose";
import { Section } from "../../parts/section";
import { SeverityBadge } from "../../parts/severity";
import { Dot } from "../../parts/tag";
import { FindingItem } from "../recommendations/finding";
import work from "../recommendations/recommendations.module.css";
import css from "./compliance.module.css";
import { MEANS, percent, TONES } from "./standing";

/** Rows of each list; the recommendation and the export have all. */
const MAX_FINDINGS = 50;

interface ControlSheetProps {
  control: FrameworkControl;
  scope: string;
  close: () => void;
}

export function ControlSheet({ control, scope, close }: ControlSheetProps) {
  return (
    <Sheet
      title={control.title}
      close={close}
      head={
        <div className={work.row}>
          <SeverityBadge severity={control.severity} />
          <Dot tone={TONES[control.state]}>{words(control.state)}</Dot>
          <span className="muted">{MEANS[control.state]}</span>
        </div>
      }
    >
      <About control={control} />
      <Findings title="Failing" control={control} scope={scope} states="unhealthy" expected={control.failed} />
      <Findings title="Unknown" control={control} scope={scope} states="unknown" expected={control.unknown} />
      <Findings title="Exempt" control={control} scope={scope} states="exempt" expected={control.exempt} />
      <Section title="Counted">
        <Facts
          facts={[
            ["Control", <span className="mono">{control.id}</span>],
            ["Sections", control.sections.join(", ")],
            ["Satisfied", percent(control.compliance)],
            ["Passing", count(control.passed)],
            ["Not concerned", count(control.not_applicable)],
            ["Exempt", control.exempt === 0 ? null : `${count(control.exempt)}, ${count(control.mitigated)} of them mitigated`],
          ]}
        />
      </Section>
    </Sheet>
  );
}

function About({ control }: { control: FrameworkControl }) {
  const entry = useQuery(itemQuery<Control>("controls", control.id));
  return (
    <>
      {entry.isPending && <Skeleton height={120} />}
      {entry.error && <Failure error={entry.error} retry={() => void entry.refetch()} />}
      {entry.data && (
        <>
          <Section title="Why it matters">
            <Prose text={entry.data.description} />
          </Section>
          <Section title="What to do">
            <Prose text={entry.data.remediation} />
          </Section>
        </>
      )}
    </>
  );
}

interface FindingsProps {
  title: string;
  control: FrameworkControl;
  scope: string;
  states: string;
  expected: number;
}

function Findings({ title, control, scope, states, expected }: FindingsProps) {
  const here = `rule:${control.id} scope:${scope}*`;
  const filter = `kind:control state:${states} ${here}`;
  const found = useQuery({ ...topQuery<Finding>("findings", MAX_FINDINGS, { filter }), enabled: expected > 0 });
  if (expected === 0) return null;
  const items = found.data?.items ?? [];
  return (
    <Section
      title={`${title} (${count(expected)})`}
      aside={
        states === "unhealthy" && (
          <Link to="/recommendations" search={{ filter: here }}>
            As a recommendation
          </Link>
        )
      }
    >
      {found.isPending && <Skeleton height={80} />}
      {found.error && <Failure error={found.error} retry={() => void found.refetch()} />}
      <ul className={work.resources}>
        {items.map((finding) => (
          <li key={finding.id}>
            <FindingItem finding={finding} />
          </li>
        ))}
      </ul>
      {found.data && found.data.total.value > items.length && (
        <p className={css.rest}>The first {plural(items.length, "resource")} of {count(found.data.total.value)}.</p>
      )}
    </Section>
  );
}

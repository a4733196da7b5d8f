// How things stand: the score and what moved it, what is open, what is watched.
import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { documentQuery } from "../../api/queries";
import type { Overview as OverviewDocument } from "../../api/types";
import { Page } from "../../app/page";
import { useSearchState } from "../../list/list";
import { Failure } from "../../parts/failure";
import { Coverage } from "./coverage";
import { Hints } from "./hints";
import { Latest } from "./latest";
import { Moves } from "./moves";
import { Open } from "./open";
import css from "./overview.module.css";
import { ScopePicker } from "./scope-picker";
import { ScorePanel } from "./score";

export function Overview() {
  const [search, change] = useSearchState();
  const overview = useQuery(documentQuery<OverviewDocument>("overview", { scope: search.scope }));
  return (
    <Page
      title="Overview"
      aside={<ScopePicker scope={search.scope} onChange={(scope) => change({ scope })} />}
    >
      {overview.isPending && <Skeleton height={320} radius="md" />}
      {overview.error && <Failure error={overview.error} retry={() => void overview.refetch()} />}
      {overview.data && (
        <div className={css.grid}>
          <Hints codes={overview.data.empty} />
          <ScorePanel score={overview.data.score} />
          <Open overview={overview.data} />
          <Latest />
          <Moves moves={overview.data.moves} />
          <Coverage overview={overview.data} />
        </div>
      )}
    </Page>
  );
}

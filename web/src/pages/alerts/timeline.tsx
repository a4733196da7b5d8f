// Every stored firing of one alert, newest first.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { listQuery } from "../../api/queries";
import type { Alert, StoredEvent } from "../../api/types";
import { commandLine } from "../../format/text";
import { exact } from "../../format/time";
import { Failure } from "../../parts/failure";
import { Time } from "../../parts/time";
import css from "./timeline.module.css";

export function Timeline({ alert }: { alert: Alert }) {
  const events = useInfiniteQuery(listQuery<StoredEvent>("events", { filter: `alert:${alert.id}`, sort: "-time" }));
  const firings = events.data?.pages.flatMap((page) => page.items) ?? [];
  if (events.error) return <Failure error={events.error} retry={() => void events.refetch()} />;
  return (
    <>
      <ol className={css.timeline}>
        {firings.map((event) => {
          const process = event.firing.process[0];
          return (
            <li key={event.id}>
              <div className={css.head}>
                <span className="nowrap">{exact(event.time)}</span>
                <span className="muted">
                  <Time at={event.time} />
                </span>
                <span className="muted">
                  {[event.firing.where.pod, event.firing.where.container].filter((part) => part !== null).join(" / ")}
                </span>
              </div>
              {process && (
                <code className={css.command}>
                  {commandLine(process.args.length > 0 ? process.args : [process.exe])}
                </code>
              )}
            </li>
          );
        })}
      </ol>
      {events.data && firings.length === 0 && <p className="muted">The firings of this alert are past their retention.</p>}
      {events.hasNextPage && (
        <Button variant="default" loading={events.isFetchingNextPage} onClick={() => void events.fetchNextPage()}>
          Load more
        </Button>
      )}
    </>
  );
}

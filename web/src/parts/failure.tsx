// A failed request, in the hub's own words, with the way to try again.
import { Button } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { HubError } from "../api/http";
import css from "./failure.module.css";

export function Failure({ error, retry }: { error: unknown; retry?: () => void }) {
  const problem = error instanceof HubError ? error.problem : null;
  const title = problem?.title ?? "Something went wrong";
  const detail = problem ? problem.detail : String(error);
  return (
    <div className={css.failure} role="alert">
      <IconAlertTriangle size={16} aria-hidden />
      <div>
        <strong>{title}</strong>
        {detail !== undefined && detail !== title && <div>{detail}</div>}
        {problem?.errors?.map((each) => (
          <div key={each.pointer + each.detail}>
            {each.pointer !== "" && <span className="mono">{each.pointer} </span>}
            {each.detail}
          </div>
        ))}
        {problem?.request_id !== undefined && (
          <div className={css.request}>Request {problem.request_id}</div>
        )}
      </div>
      {retry && (
        <Button size="compact-xs" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

// A code such as `existing_processes`, which breaks behind its underscores where a column is narrow.
import { Fragment } from "react";

export function CodeWord({ text }: { text: string }) {
  return text.split(/(?<=_)/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

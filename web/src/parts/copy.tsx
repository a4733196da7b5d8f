// Text made to be pasted elsewhere: commands, patches, digests.
import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import css from "./copy.module.css";

export function Copy({ text, label }: { text: string; label: string }) {
  return (
    <CopyButton value={text} timeout={1500}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon size="sm" color={copied ? "teal" : "gray"} aria-label={label} onClick={copy}>
            {copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A block of code with its copy button. `label` names what is copied: "kubectl command". */
export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className={css.block}>
      <pre className={css.text} tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <div className={css.button}>
        <Copy text={text} label={`Copy ${label}`} />
      </div>
    </div>
  );
}

/** A long identifier on one line. */
export function Identifier({ text, shown = text, label }: { text: string; shown?: string; label: string }) {
  return (
    <span className={css.identifier}>
      <span className="mono wrap-anywhere" title={text}>
        {shown}
      </span>
      <Copy text={text} label={`Copy ${label}`} />
    </span>
  );
}

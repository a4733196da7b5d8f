// Nothing to show: say what that means and name the command that changes it.
import type { ReactNode } from "react";
import { Code } from "./copy";
import css from "./empty.module.css";

interface EmptyProps {
  title: string;
  children?: ReactNode;
  command?: string;
  action?: ReactNode;
}

export function Empty({ title, children, command, action }: EmptyProps) {
  return (
    <div className={css.empty}>
      <svg className={css.mark} viewBox="0 0 64 40" aria-hidden>
        <path d="M12 6h12v8H12zM26 6h12v8H26zM40 6h12v8H40zM19 16h12v8H19zM33 16h12v8H33z" />
        <path d="M6 32c5 0 5 4 10 4s5-4 10-4 5 4 10 4 5-4 10-4 5 4 10 4" />
      </svg>
      <p className={css.title}>{title}</p>
      {children !== undefined && <div className={css.text}>{children}</div>}
      {command !== undefined && (
        <div className={css.command}>
          <Code text={command} label="command" />
        </div>
      )}
      {action}
    </div>
  );
}

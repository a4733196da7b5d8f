// A short text of the content or the hub: its lines, and what stands in backticks as code.
import css from "./prose.module.css";

export function Prose({ text }: { text: string }) {
  return (
    <p className={css.prose}>
      {text.split(/`([^`]+)`/).map((part, index) => (index % 2 === 1 ? <code key={index}>{part}</code> : part))}
    </p>
  );
}

// The frame of the pages before the console.
import type { ReactNode, SyntheticEvent } from "react";
import { Logo } from "../../app/logo";
import css from "./card.module.css";

interface CardProps {
  title: string;
  lead?: string;
  onSubmit: (event: SyntheticEvent) => void;
  children: ReactNode;
}

export function Card({ title, lead, onSubmit, children }: CardProps) {
  return (
    <main className={css.page}>
      <Logo />
      <form className={css.card} onSubmit={onSubmit}>
        <h1>{title}</h1>
        {lead !== undefined && <p>{lead}</p>}
        {children}
      </form>
    </main>
  );
}

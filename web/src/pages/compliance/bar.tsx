import type { Share } from "./standing";
import css from "./compliance.module.css";

/** A bar of proportions; the numbers stand beside it, so it is decoration to a screen reader. */
export function Bar({ shares }: { shares: readonly Share[] }) {
  if (shares.every((share) => share.count === 0)) return null;
  return (
    <div className={css.bar} aria-hidden>
      {shares.map((share, index) => share.count > 0 && <div key={index} data-tone={share.tone} style={{ flexGrow: share.count }} />)}
    </div>
  );
}

import css from "./logo.module.css";

export function Logo() {
  return (
    <span className={css.logo}>
      <svg viewBox="0 0 32 32" aria-hidden>
        <rect width="32" height="32" rx="7" fill="#0b6e7f" />
        <path d="M6 11h6v5H6zM13 11h6v5h-6zM20 11h6v5h-6zM9.500 5h6v5h-6zM16.500 5h6v5h-6z" fill="#fff" />
        <path
          d="M5 21c2.200 0 2.200 2 4.400 2s2.200-2 4.400-2 2.200 2 4.400 2 2.200-2 4.400-2 2.200 2 4.400 2"
          fill="none"
          stroke="#8fe3ee"
          strokeWidth="2.200"
          strokeLinecap="round"
        />
      </svg>
      Seawall
    </span>
  );
}

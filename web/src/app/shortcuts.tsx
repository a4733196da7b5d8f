// What the keyboard does, on `?`.
import { Kbd, Modal } from "@mantine/core";
import css from "./shortcuts.module.css";

const SHORTCUTS: readonly (readonly [keys: readonly string[], does: string])[] = [
  [["Ctrl", "K"], "Search pages and objects"],
  [["/"], "Go to the query bar"],
  [["j"], "Next row"],
  [["k"], "Previous row"],
  [["Enter"], "Open the row"],
  [["x"], "Select the row"],
  [["Esc"], "Close the drawer or dialog"],
  [["?"], "This help"],
];

export function Shortcuts({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" closeButtonProps={{ "aria-label": "Close" }}>
      <dl className={css.list}>
        {SHORTCUTS.map(([keys, does]) => (
          <div key={does}>
            <dt>
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Modal>
  );
}

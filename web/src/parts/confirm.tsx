// Asks once more before something that cannot be taken back, or lets something in.
import { Button, Modal } from "@mantine/core";
import type { ReactNode } from "react";
import css from "./confirm.module.css";
import { Failure } from "./failure";

interface ConfirmProps {
  title: string;
  action: string;
  /** Nothing is lost by it, so the button does not warn. */
  harmless?: boolean;
  pending: boolean;
  error: unknown;
  onConfirm: () => void;
  onClose: () => void;
  children: ReactNode;
}

export function Confirm({ title, action, harmless = false, pending, error, onConfirm, onClose, children }: ConfirmProps) {
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={css.body}>
        <div>{children}</div>
        {error !== null && <Failure error={error} />}
        <div className={css.buttons}>
          <Button variant="default" onClick={onClose} data-autofocus>
            Cancel
          </Button>
          <Button {...(!harmless && { color: "red.9" })} loading={pending} onClick={onConfirm}>
            {action}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

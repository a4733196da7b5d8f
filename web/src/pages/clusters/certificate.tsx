// When the first certificate of a cluster's agents ends, and whether its renewal is overdue.
import type { Millis } from "../../api/types";
import { Tag } from "../../parts/tag";
import { Time, useNow } from "../../parts/time";
import { certificateTone } from "./status";

export function Certificate({ expires }: { expires: Millis | null }) {
  const now = useNow();
  if (expires === null) return <span className="muted">–</span>;
  const tone = certificateTone(expires, now);
  if (tone === "bad") return <Tag tone="bad">expired</Tag>;
  if (tone === null) return <Time at={expires} />;
  return (
    <Tag tone={tone} title="The renewal is overdue">
      <Time at={expires} />
    </Tag>
  );
}

// How recent the picture of a cluster is, as the hub judges it.
import type { Freshness as Word } from "../api/types";
import { words } from "../format/text";
import { Dot, Tag, type Tone } from "./tag";

const TONES: Record<Word, { tone: Tone; title: string }> = {
  fresh: { tone: "good", title: "Heard of within 30 seconds" },
  stale: { tone: "warn", title: "Not heard of for more than 30 seconds" },
  silent: { tone: "bad", title: "Not heard of for an hour: nothing may be concluded from it" },
};

export function Freshness({ word }: { word: Word | undefined }) {
  if (word === undefined) return <span className="muted">–</span>;
  const { tone, title } = TONES[word];
  return (
    <Dot tone={tone} title={title}>
      {words(word)}
    </Dot>
  );
}

/** Beside a cluster's name, wherever it stands: nothing while the picture is fresh. */
export function StaleTag({ word }: { word: Word | undefined }) {
  if (word === undefined || word === "fresh") return null;
  const { tone, title } = TONES[word];
  return (
    <Tag tone={tone} title={title}>
      {word}
    </Tag>
  );
}

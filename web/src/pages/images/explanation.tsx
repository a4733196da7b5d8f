// Why a flaw was matched, and what fixes it: the record, what was compared, where the package lies.
import type { VulnDetail } from "../../api/types";
import { shortDigest, words } from "../../format/text";
import { date } from "../../format/time";
import { Facts } from "../../parts/facts";
import { Tag } from "../../parts/tag";
import css from "./images.module.css";

const BOUNDS: Record<string, string> = {
  introduced: "first affected version",
  fixed: "first fixed version",
  last_affected: "last affected version",
  listed: "listed as affected",
};

export function Explanation({ detail }: { detail: VulnDetail }) {
  const { match, package: found } = detail;
  return (
    <div className={css.explanation}>
      <div>
        <h4>Why it matched</h4>
        <ul className={css.compared}>
          {match.compared.map((each, index) => (
            <li key={index}>
              <span className="mono">
                {each.installed} {each.order} {each.bound}
              </span>{" "}
              <span className="muted">{BOUNDS[each.kind] ?? words(each.kind)}</span>
            </li>
          ))}
          {match.qualifiers.map((each, index) => (
            <li key={`q${index}`}>
              <Tag tone={each.holds ? "neutral" : "warn"}>{words(each.kind)}</Tag>{" "}
              <span className="mono">
                {each.installed ?? "–"}
                {each.required !== null && ` (needs ${each.required})`}
              </span>
            </li>
          ))}
        </ul>
      </div>
      <Facts
        facts={[
          ["Record", <span className="mono">{`${match.feed} ${match.record}`}</span>],
          ["Segment", match.segment],
          ["Rule", words(match.rule)],
          ["Version order", match.scheme],
          ["Severity by", severityBy(detail)],
          ["EPSS", detail.epss && `${(detail.epss.score * 100).toFixed(1)}%, as of ${date(detail.epss.as_of)}`],
          ["Exploited", detail.kev !== null ? `known since ${date(detail.kev)}` : null],
          ["Fix", fixText(detail)],
          ["Package", <span className="mono">{found.purl}</span>],
          ["Source", found.origin],
          ["Owned by", found.owner],
          [
            "Layer",
            found.layer && `${found.layer.index + 1}${found.layer.base ? ", base image" : ""} · ${shortDigest(found.layer.diff_id)}`,
          ],
          ["Found in", found.locations.length > 0 && <span className="mono">{found.locations.join(", ")}</span>],
          ["Aliases", detail.aliases.join(", ")],
        ]}
      />
    </div>
  );
}

function severityBy({ severity }: VulnDetail): string | null {
  if (severity.source === null) return null;
  return [severity.source, severity.score, severity.vector].filter((part) => part !== null).join(" · ");
}

export function fixText({ fix }: VulnDetail): string {
  const versions = fix.versions.map((each) => (each.channel === null ? each.version : `${each.version} (${each.channel})`));
  return versions.length > 0 ? versions.join(", ") : words(fix.status);
}

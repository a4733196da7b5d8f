// One affected resource: the evidence, and the fix to copy.
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMay } from "../../api/session";
import type { ControlDetail, Finding, VulnDetail } from "../../api/types";
import { kubectlFix } from "../../format/text";
import { ClusterPath } from "../../parts/cluster-name";
import { Code } from "../../parts/copy";
import { Prose } from "../../parts/prose";
import { Time } from "../../parts/time";
import { ExemptionDialog } from "../exemptions/request";
import { Explanation } from "../images/explanation";
import css from "./recommendations.module.css";
import { FindingStateDot } from "./status";

export function FindingItem({ finding }: { finding: Finding }) {
  const mayRequest = useMay("request_exemption");
  const [asking, { open, close }] = useDisclosure(false);
  return (
    <details className={css.resource}>
      <summary>
        <span>
          <strong>{finding.resource}</strong>{" "}
          <span className="muted">
            <ClusterPath cluster={finding.cluster} below={[finding.namespace]} />
          </span>
        </span>
        <span className={css.row}>
          <span className="muted">
            since <Time at={finding.first} />
          </span>
          <FindingStateDot state={finding.state} />
        </span>
      </summary>
      <div className={css.body}>
        {finding.detail.kind === "control" ? (
          <ControlBody detail={finding.detail} />
        ) : (
          <VulnBody finding={finding} detail={finding.detail} />
        )}
        {mayRequest && finding.state === "unhealthy" && (
          <div>
            <Button variant="default" onClick={open}>
              Exempt…
            </Button>
          </div>
        )}
      </div>
      {asking && <ExemptionDialog finding={finding} onClose={close} />}
    </details>
  );
}

function ControlBody({ detail }: { detail: ControlDetail }) {
  const fix = kubectlFix(detail.resource, detail.fix, true);
  return (
    <>
      {detail.message !== null && <Prose text={detail.message} />}
      {detail.evidence.length > 0 && (
        <div>
          <h4>Evidence</h4>
          <dl className={css.evidence}>
            {detail.evidence.map((each) => (
              <div key={each.path}>
                <dt>{each.path}</dt>
                <dd>{each.value === null ? <span className="muted">not set</span> : JSON.stringify(each.value)}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
      {detail.fix.length > 0 ? (
        <>
          <div>
            <h4>{fix.label}</h4>
            <Code text={fix.command} label="kubectl command" />
          </div>
          <div>
            <h4>JSON Patch</h4>
            <Code text={JSON.stringify(detail.fix, null, 2)} label="JSON Patch" />
          </div>
        </>
      ) : (
        <div className="muted">No automatic fix is known to heal this one.</div>
      )}
      {detail.source && (
        <div className="mono muted">
          {detail.source.file}:{detail.source.line}
        </div>
      )}
    </>
  );
}

function VulnBody({ finding, detail }: { finding: Finding; detail: VulnDetail }) {
  return (
    <>
      <div>
        <strong className="mono">{finding.rule}</strong> {detail.title}
      </div>
      <Explanation detail={detail} />
    </>
  );
}

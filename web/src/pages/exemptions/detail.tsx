import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "../../api/http";
import { useMay } from "../../api/session";
import type { Exemption, ExemptionState } from "../../api/types";
import { count, words } from "../../format/text";
import { Detail } from "../../parts/detail";
import { Facts } from "../../parts/facts";
import { Failure } from "../../parts/failure";
import { Prose } from "../../parts/prose";
import { Section } from "../../parts/section";
import { Time } from "../../parts/time";
import { ExemptionStateDot } from "./exemptions";
import css from "./exemptions.module.css";

type Step = "grant" | "deny" | "revoke";

const STEPS: Record<ExemptionState, readonly Step[]> = {
  requested: ["grant", "deny"],
  granted: ["revoke"],
  denied: [],
  expired: [],
  revoked: [],
};

export function ExemptionDetail({ id, close }: { id: string; close: () => void }) {
  return (
    <Detail<Exemption>
      noun="exemptions"
      id={id}
      close={close}
      title={(exemption) => `Exemption from ${exemption.target.rule}`}
      head={(exemption) => <ExemptionStateDot state={exemption.state} />}
      actions={(exemption) => <Steps exemption={exemption} />}
    >
      {(exemption) => (
        <>
          <Section title="Reason">
            <Prose text={exemption.reason} />
          </Section>
          <Section title="Terms">
            <Facts
              facts={[
                ["Category", words(exemption.category)],
                ["Owner", exemption.owner],
                ["Expires", <Time at={exemption.expires} />],
                ["Created", <Time at={exemption.created} />],
                ["Matches", count(exemption.matches)],
                ["Last match", <Time at={exemption.last_match} />],
                ["Source", words(exemption.source)],
              ]}
            />
          </Section>
          <Section title="Target">
            <Facts
              facts={[
                ["Rule", <span className="mono">{exemption.target.rule}</span>],
                ["Scope", <span className="mono">{exemption.scope}</span>],
                ["Namespace", exemption.target.namespace],
                ["Resource", exemption.target.resource],
                ["Package", exemption.target.package],
                ["Path", exemption.target.path],
              ]}
            />
          </Section>
        </>
      )}
    </Detail>
  );
}

function Steps({ exemption }: { exemption: Exemption }) {
  const mayGrant = useMay("grant_exemption");
  const client = useQueryClient();
  const step = useMutation({
    mutationFn: (name: Step) => call<Exemption>("POST", `/exemptions/${exemption.id}/${name}`, { body: {} }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["exemptions"] }),
  });
  if (!mayGrant) return null;
  return (
    <div className={css.row}>
      {STEPS[exemption.state].map((name, index) => (
        <Button
          key={name}
          variant={index === 0 && name !== "revoke" ? "filled" : "default"}
          loading={step.isPending && step.variables === name}
          onClick={() => step.mutate(name)}
        >
          {words(name)}
        </Button>
      ))}
      {step.error && <Failure error={step.error} />}
    </div>
  );
}

// Enrols a cluster or machine from the page: a token, and the commands that use it.
import { Tabs, TextInput } from "@mantine/core";
import { useState } from "react";
import { useMay, useSession } from "../../api/session";
import type { CreatedEnrolment } from "../../api/types";
import { Code } from "../../parts/copy";
import { CreateEnrolment } from "../settings/create-enrolment";
import type { OpenState } from "../settings/create";
import settings from "../settings/settings.module.css";
import css from "./clusters.module.css";
import { helmCommands, hubOf, machineCommands } from "./enrol-commands";
import { WaitingHere } from "./waiting";

export const ENROL = "Enrol a cluster";

export function Enrol({ state }: { state: OpenState }) {
  const mayEnrol = useMay("enrol");
  if (!mayEnrol) return null;
  return <CreateEnrolment label={ENROL} size={840} state={state} answer={(created) => <Commands created={created} />} />;
}

function Commands({ created }: { created: CreatedEnrolment }) {
  const { hub: { version } } = useSession();
  const { token } = created;
  const [hub, setHub] = useState(() => hubOf(created.command, location.origin));
  const [name, setName] = useState("");
  const [image, setImage] = useState("");
  const target = { token, hub, name, image, version };
  return (
    <>
      <div className={settings.once}>Copy the commands now: the token in them is not shown again.</div>
      <TextInput
        label="Hub address"
        description="As the cluster or machine reaches it."
        value={hub}
        onChange={(event) => setHub(event.currentTarget.value)}
      />
      <Tabs defaultValue="helm" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="helm">Kubernetes</Tabs.Tab>
          <Tabs.Tab value="machine">Machine</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="helm" className={css.commands}>
          <div className={css.fields}>
            <TextInput
              label="Image repository"
              description="Where the release's image archive was pushed to."
              placeholder="registry.example.org/seawall"
              value={image}
              onChange={(event) => setImage(event.currentTarget.value)}
            />
            <TextInput
              label="Cluster name"
              description="How it is called here; may stay empty."
              value={name}
              onChange={(event) => setName(event.currentTarget.value)}
            />
          </div>
          <Code text={helmCommands(target)} label="commands" />
          <p className="muted">
            The chart's archive is part of the release; in a checkout it is <span className="mono">deploy/helm/seawall</span>.
            One token lets the first agent in; every other pod then joins with its service account. The secret may be
            deleted after that. Where Pod Security is enforced, the sensors need a namespace that admits privileged pods.
          </p>
        </Tabs.Panel>
        <Tabs.Panel value="machine" className={css.commands}>
          <Code text={machineCommands(target)} label="commands" />
          <p className="muted">
            For a Linux machine outside any cluster, as root. The token carries the hash of the hub's CA, so the sensor
            knows whom it talks to.
          </p>
        </Tabs.Panel>
      </Tabs>
      <WaitingHere />
    </>
  );
}

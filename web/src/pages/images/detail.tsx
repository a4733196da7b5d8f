// One image: its flaws and why they match, its packages, its layers, where it runs.
import { Tabs } from "@mantine/core";
import type { Image } from "../../api/types";
import { bytes, count, shortDigest } from "../../format/text";
import { useSearchState } from "../../list/list";
import { ClusterName } from "../../parts/cluster-name";
import { Identifier } from "../../parts/copy";
import { Detail } from "../../parts/detail";
import { Empty } from "../../parts/empty";
import { Facts } from "../../parts/facts";
import { Remarks } from "../../parts/remarks";
import { SeverityCounts } from "../../parts/severity";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import { Findings } from "./findings";
import css from "./images.module.css";
import { Packages } from "./packages";

export function ImageDetail({ id, close }: { id: string; close: () => void }) {
  return (
    <Detail<Image>
      noun="images"
      id={id}
      close={close}
      title={(image) => image.name}
      head={(image) => (
        <div className={css.row}>
          {image.running_count > 0 ? <Tag tone="accent">running</Tag> : <Tag>not running</Tag>}
          {image.counts === null ? <Tag tone="warn">not scanned</Tag> : <SeverityCounts counts={image.counts} />}
        </div>
      )}
    >
      {(image) => <Body image={image} />}
    </Detail>
  );
}

function Body({ image }: { image: Image }) {
  const [search, change] = useSearchState();
  const digest = (text: string | null, label: string) =>
    text !== null && <Identifier text={text} shown={shortDigest(text)} label={label} />;
  return (
    <>
      <div className={css.tab}>
        <Remarks problems={image.coverage_problems} />
        <Facts
          facts={[
            ["Digest", digest(image.digest, "digest")],
            ["Config", digest(image.config_digest, "config digest")],
            ["Index", digest(image.index_digest, "index digest")],
            ["Platform", image.platform],
            ["Distribution", image.distro?.name ?? image.distro?.id],
            ["Packages", image.package_count === null ? "not read yet" : count(image.package_count)],
            ["Fixable", image.fixable === null ? null : count(image.fixable)],
            ["Scanned", <Time at={image.scanned} />],
            ["First seen", <Time at={image.first} />],
          ]}
        />
      </div>
      <Tabs
        value={search.tab ?? "vulnerabilities"}
        onChange={(tab) => change({ tab: tab ?? undefined })}
        mt="md"
        keepMounted={false}
        classNames={{ tab: css.tabButton }}
      >
        <Tabs.List>
          <Tabs.Tab value="vulnerabilities">Vulnerabilities</Tabs.Tab>
          <Tabs.Tab value="packages">Packages</Tabs.Tab>
          <Tabs.Tab value="layers">Layers</Tabs.Tab>
          <Tabs.Tab value="running">Running</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="vulnerabilities" className={css.tab}>
          <Findings image={image} />
        </Tabs.Panel>
        <Tabs.Panel value="packages" className={css.tab}>
          <Packages image={image} />
        </Tabs.Panel>
        <Tabs.Panel value="layers" className={css.tab}>
          <Layers image={image} />
        </Tabs.Panel>
        <Tabs.Panel value="running" className={css.tab}>
          <Running image={image} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function Layers({ image }: { image: Image }) {
  if (image.layers.length === 0) return <Empty title="The layers of this image are not known yet" />;
  return (
    <ol className={css.layers}>
      {image.layers.map((layer, index) => (
        <li key={index}>
          <span className="muted">{index + 1}</span>
          <code>{layer.created_by ?? "no build step recorded"}</code>
          <span className={css.row}>
            {layer.base && <Tag>base</Tag>}
            <span className="muted nowrap">{layer.size === null ? "" : bytes(layer.size)}</span>
          </span>
          <span />
          <Identifier text={layer.diff_id} shown={shortDigest(layer.diff_id)} label="layer digest" />
        </li>
      ))}
    </ol>
  );
}

function Running({ image }: { image: Image }) {
  if (image.running.length === 0) {
    return <Empty title="No container runs this image">Sensors report running containers as they start and stop.</Empty>;
  }
  return (
    <ul className={css.layers}>
      {image.running.map((container, index) => (
        <li key={container.id}>
          <span className="muted">{index + 1}</span>
          <div>
            <div>
              {[container.namespace, container.workload ?? container.pod].filter((part) => part !== null).join(" / ") ||
                "outside a pod"}
            </div>
            <div className={css.second}>
              <ClusterName cluster={container.cluster} />
              {[container.node, container.pod, container.name]
                .filter((part) => part !== null)
                .map((part) => ` · ${part}`)
                .join("")}
            </div>
          </div>
          <Identifier text={container.id} shown={shortDigest(container.id)} label="container id" />
        </li>
      ))}
    </ul>
  );
}

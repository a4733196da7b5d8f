import type { Image } from "../../api/types";
import { Page } from "../../app/page";
import { count, shortDigest } from "../../format/text";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { Empty } from "../../parts/empty";
import { SeverityCounts } from "../../parts/severity";
import { Tag } from "../../parts/tag";
import { Time } from "../../parts/time";
import { ImageDetail } from "./detail";
import css from "./images.module.css";

export function keyDigest(image: Image): string | null {
  return image.digest ?? image.config_digest ?? image.index_digest;
}

/** What the scan could not read, or that there was none: never drawn like "nothing found". */
function Vulnerabilities({ image }: { image: Image }) {
  if (image.counts === null) return <Tag tone="warn">not scanned</Tag>;
  return (
    <span className={css.row}>
      <SeverityCounts counts={image.counts} />
      {image.coverage_problems.some((problem) => problem.kind === "gap" || problem.kind === "error") && (
        <Tag tone="warn">incomplete</Tag>
      )}
    </span>
  );
}

const COLUMNS: readonly Column<Image>[] = [
  {
    id: "name",
    title: "Image",
    sort: "name",
    card: "title",
    cell: (image) => image.name,
  },
  {
    id: "digest",
    title: "Digest",
    width: "178px",
    cell: (image) => <span className="mono muted">{shortDigest(keyDigest(image) ?? "–")}</span>,
  },
  { id: "vulnerabilities", title: "Vulnerabilities", width: "26%", cell: (image) => <Vulnerabilities image={image} /> },
  {
    id: "fixable",
    title: "Fixable",
    sort: "fixable",
    width: "84px",
    align: "end",
    cell: (image) => (image.fixable === null ? "–" : count(image.fixable)),
  },
  {
    id: "running",
    title: "Running",
    width: "110px",
    card: "badge",
    cell: (image) =>
      image.running_count > 0 ? (
        <Tag tone="accent">{count(image.running_count)} running</Tag>
      ) : (
        <span className="muted">no</span>
      ),
  },
  { id: "last", title: "Last seen", sort: "last", width: "112px", cell: (image) => <Time at={image.last} /> },
  {
    id: "packages",
    title: "Packages",
    align: "end",
    hidden: true,
    cell: (image) => (image.package_count === null ? "–" : count(image.package_count)),
  },
  { id: "distro", title: "Distribution", hidden: true, cell: (image) => image.distro?.name ?? "–" },
  { id: "platform", title: "Platform", hidden: true, cell: (image) => image.platform ?? "–" },
  { id: "first", title: "First seen", sort: "first", hidden: true, cell: (image) => <Time at={image.first} /> },
];

export function Images() {
  return (
    <Page title="Images" lead="What lies on the nodes and what runs, with everything known to be wrong in it.">
      <List<Image>
        noun="images"
        plural="images"
        columns={COLUMNS}
        rowId={(image) => image.id}
        rowLabel={(image) => image.name}
        opens
        drawer={(id, close) => <ImageDetail id={id} close={close} />}
        empty={
          <Empty title="No images yet" command="seawall up --containerd /run/containerd/containerd.sock">
            Images that this node's containerd holds appear by themselves when its socket can be read. One archive can be
            looked into with <span className="mono">seawall scan image FILE</span>.
          </Empty>
        }
      />
    </Page>
  );
}

// The packages of one image: the first ones, or those that hold a text.
import { TextInput } from "@mantine/core";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useDeferredValue, useState } from "react";
import { topQuery } from "../../api/queries";
import type { Image, ImagePackage } from "../../api/types";
import { count } from "../../format/text";
import type { Column } from "../../list/column";
import { Table } from "../../list/table";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { SeverityCounts } from "../../parts/severity";
import { Tag } from "../../parts/tag";
import css from "./images.module.css";

/** Rows drawn at once; a name narrows the rest down. */
const MAX_ROWS = 300;

const COLUMNS: readonly Column<ImagePackage>[] = [
  {
    id: "name",
    title: "Package",
    card: "title",
    cell: (found) => (
      <div>
        {found.name} {found.third_party && <Tag>third party</Tag>}
        <div className={css.second}>{found.locations[0]}</div>
      </div>
    ),
  },
  { id: "version", title: "Version", width: "24%", cell: (found) => <span className="mono">{found.version}</span> },
  { id: "ecosystem", title: "Ecosystem", width: "96px", card: "badge", cell: (found) => found.ecosystem },
  { id: "layer", title: "Layer", width: "64px", align: "end", cell: (found) => (found.layer === null ? "–" : found.layer + 1) },
  {
    id: "counts",
    title: "Vulnerabilities",
    width: "24%",
    cell: (found) => <SeverityCounts counts={found.counts} />,
  },
];

export function Packages({ image }: { image: Image }) {
  const [text, setText] = useState("");
  const words = useDeferredValue(text.trim());
  const filter = words === "" ? null : `"${words.replace(/[\\"]/g, "\\$&")}"`;
  const list = useQuery({
    ...topQuery<ImagePackage>(`images/${image.id}/packages`, MAX_ROWS, { filter }),
    placeholderData: keepPreviousData,
  });
  if (list.error) return <Failure error={list.error} retry={() => void list.refetch()} />;
  if (!list.data) return null;
  const { items, total } = list.data;
  if (items.length === 0 && filter === null) return <Empty title="No package was found in this image" />;
  return (
    <>
      <TextInput
        className={css.find}
        aria-label="Find a package"
        placeholder="Find a package"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div className={css.frame}>
        <Table<ImagePackage>
          label="Packages"
          columns={COLUMNS}
          rows={items}
          rowId={(each) => `${each.purl} ${each.layer ?? ""} ${each.owner ?? ""}`}
          rowLabel={(each) => each.name}
        />
      </div>
      <div className={css.more}>
        {count(items.length)} of {count(total.value)}
      </div>
    </>
  );
}

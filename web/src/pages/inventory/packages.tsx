import { Link } from "@tanstack/react-router";
import type { PackageRow } from "../../api/types";
import { INVENTORY } from "../../app/nav";
import { Page } from "../../app/page";
import { quote } from "../../filter/lex";
import { count } from "../../format/text";
import type { Column } from "../../list/column";
import { List } from "../../list/list";
import { Empty } from "../../parts/empty";

const COLUMNS: readonly Column<PackageRow>[] = [
  { id: "name", title: "Package", sort: "name", card: "title", cell: (found) => found.name },
  { id: "version", title: "Version", width: "26%", cell: (found) => <span className="mono">{found.version}</span> },
  { id: "ecosystem", title: "Ecosystem", width: "120px", card: "badge", cell: (found) => found.ecosystem },
  {
    id: "images",
    title: "Images",
    sort: "images",
    width: "100px",
    align: "end",
    cell: (found) => count(found.images),
  },
  { id: "nodes", title: "Nodes", sort: "nodes", width: "100px", align: "end", cell: (found) => count(found.nodes) },
  {
    id: "findings",
    title: "Work",
    width: "120px",
    cell: (found) => (
      <Link to="/recommendations" search={{ filter: quote(found.name) }}>
        Updates
      </Link>
    ),
  },
];

export function Packages() {
  return (
    <Page title="Inventory" tabs={{ label: "Inventory", items: INVENTORY }}>
      <List<PackageRow>
        noun="packages"
        plural="packages"
        columns={COLUMNS}
        rowId={(found) => found.id}
        rowLabel={(found) => found.name}
        empty={
          <Empty title="No package yet" command="seawall up">
            Packages of this node and of the images its containerd holds are read at start.
          </Empty>
        }
      />
    </Page>
  );
}

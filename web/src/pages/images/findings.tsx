// The flaws of one image, each opening to its explanation.
import { Button } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { listQuery } from "../../api/queries";
import type { Finding, Image, VulnDetail } from "../../api/types";
import { count } from "../../format/text";
import type { Column } from "../../list/column";
import { nextSort } from "../../list/search";
import { Table } from "../../list/table";
import { Empty } from "../../parts/empty";
import { Failure } from "../../parts/failure";
import { SeverityBadge } from "../../parts/severity";
import { Tag } from "../../parts/tag";
import { FindingStateDot } from "../recommendations/status";
import { Explanation, fixText } from "./explanation";
import css from "./images.module.css";

const vulnerability = (finding: Finding): VulnDetail | null =>
  finding.detail.kind === "vulnerability" ? finding.detail : null;

export function Findings({ image }: { image: Image }) {
  const [sort, setSort] = useState<string | undefined>("-severity");
  const [open, setOpen] = useState<string | null>(null);
  const list = useInfiniteQuery(listQuery<Finding>(`images/${image.id}/findings`, { sort }));
  const findings = list.data?.pages.flatMap((page) => page.items) ?? [];
  const total = list.data?.pages[0]?.total;
  if (list.error) return <Failure error={list.error} retry={() => void list.refetch()} />;
  if (list.data && findings.length === 0) {
    return image.counts === null ? (
      <Empty title="Not matched yet" command="seawall up --feeds ROOT">
        The packages have to be read and the feeds loaded before anything can be said.
      </Empty>
    ) : (
      <Empty title="No known vulnerability matches">
        {image.coverage_problems.length > 0 ? "Mind the remarks above: the scan was not complete." : undefined}
      </Empty>
    );
  }
  const columns: Column<Finding>[] = [
    {
      id: "severity",
      title: "Severity",
      sort: "severity",
      width: "104px",
      card: "badge",
      cell: (finding) => <SeverityBadge severity={finding.severity} />,
    },
    {
      id: "rule",
      title: "Vulnerability",
      card: "title",
      cell: (finding) => (
        <div>
          <button
            type="button"
            className={css.expand}
            aria-expanded={open === finding.id}
            onClick={() => setOpen(open === finding.id ? null : finding.id)}
          >
            {finding.rule}
          </button>{" "}
          {finding.kev && <Tag tone="bad">exploited</Tag>}
          {finding.state !== "unhealthy" && <FindingStateDot state={finding.state} />}
          <div className={css.second}>{finding.title}</div>
        </div>
      ),
    },
    {
      id: "package",
      title: "Package",
      width: "26%",
      cell: (finding) => {
        const detail = vulnerability(finding);
        return detail ? (
          <div>
            {detail.package.name}
            <div className={`mono ${css.second}`}>{detail.package.version}</div>
          </div>
        ) : (
          finding.package
        );
      },
    },
    {
      id: "fix",
      title: "Fixed in",
      width: "20%",
      cell: (finding) => {
        const detail = vulnerability(finding);
        if (!detail) return null;
        return <span className={detail.fix.versions.length > 0 ? "mono" : "muted"}>{fixText(detail)}</span>;
      },
    },
  ];
  return (
    <>
      <div className={css.frame}>
        <Table<Finding>
          label="Vulnerabilities"
          columns={columns}
          rows={findings}
          rowId={(finding) => finding.id}
          rowLabel={(finding) => finding.rule}
          sort={sort}
          onSort={(column) => setSort(nextSort(sort, column))}
          below={(finding) => {
            const detail = vulnerability(finding);
            return open === finding.id && detail ? <Explanation detail={detail} /> : null;
          }}
        />
      </div>
      <div className={css.more}>
        <span>
          {count(findings.length)} of {count(total?.value ?? 0)}
        </span>
        {list.hasNextPage && (
          <Button variant="default" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Load more
          </Button>
        )}
      </div>
    </>
  );
}

// Beside the query bar: which columns, and the list as a file.
import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { IconColumns3, IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import type { Query } from "../api/http";
import { Failure } from "../parts/failure";
import { download, type ExportFormat } from "./export";

interface ColumnsMenuProps {
  columns: readonly { id: string; title: string }[];
  shown: readonly string[];
  onChange: (shown: string[]) => void;
}

export function ColumnsMenu({ columns, shown, onChange }: ColumnsMenuProps) {
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <Tooltip label="Columns">
          <ActionIcon variant="default" size={36} aria-label="Columns">
            <IconColumns3 size={17} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        {columns.map((column) => {
          const on = shown.includes(column.id);
          return (
            <Menu.Item
              key={column.id}
              role="menuitemcheckbox"
              aria-checked={on}
              leftSection={<span aria-hidden>{on ? "✓" : "\u2003"}</span>}
              onClick={() => onChange(on ? shown.filter((id) => id !== column.id) : [...shown, column.id])}
            >
              {column.title}
            </Menu.Item>
          );
        })}
      </Menu.Dropdown>
    </Menu>
  );
}

export function ExportMenu({ noun, query }: { noun: string; query: Query }) {
  const start = useMutation({ mutationFn: (format: ExportFormat) => download(noun, query, format) });
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Tooltip label="Export what this filter shows">
          <ActionIcon variant="default" size={36} aria-label="Export" loading={start.isPending}>
            <IconDownload size={17} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => start.mutate("csv")}>Export CSV</Menu.Item>
        <Menu.Item onClick={() => start.mutate("ndjson")}>Export NDJSON</Menu.Item>
        {start.error && <Failure error={start.error} />}
      </Menu.Dropdown>
    </Menu>
  );
}

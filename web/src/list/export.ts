// Downloads the whole list as the hub streams it, exactly the filter and order on the screen.
import { send, type Query } from "../api/http";

export type ExportFormat = "csv" | "ndjson";

const TYPES: Record<ExportFormat, string> = { csv: "text/csv", ndjson: "application/x-ndjson" };

export async function download(noun: string, query: Query, format: ExportFormat): Promise<void> {
  const answer = await send("GET", `/${noun}`, { query, accept: TYPES[format] });
  const url = URL.createObjectURL(await answer.blob());
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = `${noun.replaceAll("/", "-")}.${format}`;
  anchor.click();
  // The click has only queued the download; the URL must outlive it.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

import type { Invocation } from './define-command.ts';
import { toJsonLines } from './output/json.ts';
import { type Column, formatTable } from './output/table.ts';

export interface Listing<Row> {
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  /** The row as `--json` shows it; default: as it is. */
  readonly toJson?: (row: Row) => unknown;
  /** Said where there are no rows: what to do then. */
  readonly empty: string;
  /** When this many rows came, there may be more. */
  readonly limit?: number;
}

/** Prints rows as a table, or as JSON with `--json`. */
export function printListing<Row>({ terminal, json }: Invocation, listing: Listing<Row>): void {
  const { rows, columns, limit } = listing;
  if (json) {
    const toJson = listing.toJson ?? ((row: Row): unknown => row);
    terminal.out(toJsonLines(rows.map((row) => toJson(row))));
    return;
  }
  if (rows.length === 0) {
    terminal.note(listing.empty);
    return;
  }
  terminal.out(formatTable(columns, rows, terminal.columns));
  if (limit !== undefined && rows.length >= limit) {
    terminal.note(`These are the first ${limit}: --limit shows more.`);
  }
}

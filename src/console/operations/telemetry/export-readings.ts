import { toJson } from '../../../lib/to-json.ts';
import { isRawNumber, parseExactJson } from '../../../model/exact-json.ts';
import { csvLine } from '../../../store/registry/csv/csv-line.ts';
import type { ReadingKey, ReadingRow } from '../../../store/series/select-readings.ts';
import { showReading } from './show-reading.ts';

export type ExportFormat = 'csv' | 'ndjson';

export const exportTypes = { csv: 'text/csv', ndjson: 'application/x-ndjson' } as const;

export interface Export {
  readonly format: ExportFormat;
  readonly fileName: string;
  /** The columns of a CSV file behind the fixed ones. */
  readonly metrics: readonly string[];
  /** The page behind a reading; empty at the end. */
  page(after: ReadingKey | undefined): Promise<readonly ReadingRow[]>;
}

/**
 * Readings as a file, a page at a time: the next is read when the client has taken the one before, and none is when
 * it has gone away. A failure on the way cuts the answer off, so that half of a file is not taken for all of it.
 */
export function exportReadings({ format, fileName, metrics, page }: Export): Response {
  const encoder = new TextEncoder();
  let after: ReadingKey | undefined;
  let gone = false;
  const body = new ReadableStream<Uint8Array>(
    {
      start: (controller) => {
        if (format === 'csv')
          controller.enqueue(encoder.encode(csvLine([...fixedColumns, ...metrics.map(inert)])));
      },
      pull: async (controller) => {
        const rows = await page(after);
        if (gone) return;
        if (rows.length === 0) {
          controller.close();
          return;
        }
        after = rows.at(-1);
        const lines = rows.map((row) =>
          format === 'csv' ? csvOf(row, metrics) : `${toJson(showReading(row))}\n`,
        );
        controller.enqueue(encoder.encode(lines.join('')));
      },
      cancel: () => {
        gone = true;
      },
    },
    { highWaterMark: 1 },
  );
  return new Response(body, {
    headers: {
      'Content-Type': `${exportTypes[format]}; charset=utf-8`,
      'Content-Disposition': `attachment; filename="${fileName}.${format}"`,
    },
  });
}

const fixedColumns = ['time', 'arrived_at', 'site_id', 'msg_type', 'seq'] as const;

function csvOf(row: ReadingRow, metrics: readonly string[]): string {
  const values = parseExactJson(row.metrics) as Readonly<Record<string, unknown>>;
  return csvLine([
    row.time,
    row.arrived_at,
    inert(row.site_id),
    row.msg_type,
    row.seq?.toString() ?? '',
    ...metrics.map((metric) => (Object.hasOwn(values, metric) ? textOf(values[metric]) : '')),
  ]);
}

/** Numbers as they were sent; texts without quotes. */
function textOf(value: unknown): string {
  if (isRawNumber(value)) return value.rawJSON;
  return typeof value === 'string' ? inert(value) : JSON.stringify(value);
}

/**
 * A text that spreadsheets would run as a formula gets an apostrophe in front, which they take for a text: a device
 * must not decide what happens where its readings are opened. NDJSON has it as it was sent.
 */
function inert(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
}

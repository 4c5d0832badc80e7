import type { Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import type { TenantId } from '../../../model/identifiers.ts';
import { BadFileError, BadRowError } from './bad-row-error.ts';
import { type DeviceRow, knownColumns, readDeviceRow, requiredColumns } from './device-row.ts';

export interface ReadOptions {
  /** Tenant of the rows that name none. */
  readonly defaultTenant: TenantId | undefined;
  /** Called for a row that cannot be imported, which is then left out. */
  readonly onBadRow: (error: BadRowError) => void;
}

/**
 * Reads devices out of CSV with a header line, one row after the other.
 * @throws BadFileError; what reading the source fails with
 */
export async function* readDeviceRows(source: Readable, options: ReadOptions): AsyncGenerator<DeviceRow> {
  const parser = source.pipe(
    parse({ bom: true, columns: checkHeader, info: true, skip_empty_lines: true, trim: true }),
  );
  // Reading the source fails on the one stream, parsing it on the other.
  source.on('error', (error) => parser.destroy(error));
  try {
    for await (const { record, info } of parser as AsyncIterable<ParsedRecord>) {
      const row = readDeviceRow(record, info.lines, options.defaultTenant);
      if (row instanceof BadRowError) options.onBadRow(row);
      else yield row;
    }
  } catch (error) {
    throw error instanceof CsvError ? new BadFileError(error.message, { cause: error }) : error;
  } finally {
    source.destroy();
  }
}

interface ParsedRecord {
  readonly record: Readonly<Record<string, string>>;
  readonly info: { readonly lines: number };
}

function checkHeader(header: readonly string[]): string[] {
  const names = header.map((name) => name.trim().toLowerCase());
  const unknown = names.filter((name) => !knownColumns.includes(name));
  const missing = requiredColumns.filter((name) => !names.includes(name));
  const repeated = names.filter((name, index) => names.indexOf(name) !== index);
  const fault =
    missing.length > 0
      ? `the first line names no column ${missing.join(', ')}`
      : unknown.length > 0
        ? `there is no column ${unknown.map((name) => JSON.stringify(name)).join(', ')}`
        : repeated.length > 0
          ? `column ${repeated.join(', ')} is named twice`
          : undefined;
  if (fault === undefined) return names;
  throw new BadFileError(`${fault}; columns are ${knownColumns.join(', ')}.`);
}

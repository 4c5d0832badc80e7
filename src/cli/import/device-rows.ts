import { createReadStream } from 'node:fs';
import { BadFileError } from '../../store/registry/csv/bad-row-error.ts';
import type { DeviceRow } from '../../store/registry/csv/device-row.ts';
import { type ReadOptions, readDeviceRows as readRows } from '../../store/registry/csv/read-device-rows.ts';
import { CliError } from '../exit-codes.ts';

/**
 * Reads devices out of a CSV file with a header line, one row after the other.
 * @throws CliError when the file as a whole cannot be read: no such file, no usable header, broken quotes.
 */
export async function* readDeviceRows(file: string, options: ReadOptions): AsyncGenerator<DeviceRow> {
  try {
    yield* readRows(createReadStream(file), options);
  } catch (error) {
    throw explain(error, file);
  }
}

const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file.',
  EACCES: 'it may not be read by this user.',
  EISDIR: 'it is a folder.',
};

function explain(error: unknown, file: string): unknown {
  if (error instanceof BadFileError)
    return new CliError(`${file}: ${error.message}`, undefined, { cause: error });
  const why = words[error instanceof Error && 'code' in error ? String(error.code) : ''];
  return why === undefined ? error : new CliError(`cannot read ${file}: ${why}`, undefined, { cause: error });
}

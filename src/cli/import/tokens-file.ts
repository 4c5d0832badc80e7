import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { csvLine } from '../../store/registry/csv/csv-line.ts';
import { CliError } from '../exit-codes.ts';

/** New tokens in clear, the only place where they are: a CSV file that only its owner may read. */
export interface TokensFile {
  /** On disk when it returns. */
  append(rows: readonly TokenRow[]): void;
  /** A file that no token came into is taken away again. */
  close(): void;
}

export interface TokenRow {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly siteId: string;
  readonly token: string;
}

/** Makes the file; one that exists is never touched. @throws CliError */
export function createTokensFile(path: string): TokensFile {
  const descriptor = open(path);
  writeSync(descriptor, 'tenant_id,device_id,site_id,token\n');
  let empty = true;
  return {
    append: (rows) => {
      if (rows.length === 0) return;
      empty = false;
      const lines = rows.map((row) => csvLine([row.tenantId, row.deviceId, row.siteId, row.token]));
      writeSync(descriptor, lines.join(''));
      fsyncSync(descriptor);
    },
    close: () => {
      closeSync(descriptor);
      if (empty) rmSync(path);
    },
  };
}

function open(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') {
      throw new CliError(`${path} exists already: name a new file with --tokens-out.`, undefined, {
        cause: error,
      });
    }
    throw error;
  }
}

import type { TenantId } from '../../model/identifiers.ts';
import { deviceKey } from '../../model/identifiers.ts';
import { BadRowError } from '../../store/registry/csv/bad-row-error.ts';
import { readDeviceRows } from './device-rows.ts';

export interface FileCheck {
  readonly devices: number;
  /** Devices for which the file brings no token. */
  readonly withoutToken: number;
  readonly tenants: ReadonlySet<TenantId>;
  /** The first of the lines that cannot be imported. */
  readonly badRows: readonly BadRowError[];
  readonly badRowCount: number;
}

const shownBadRows = 10;

/** Reads the whole file without changing anything, so that an import starts only when all of it can be done. */
export async function checkFile(file: string, defaultTenant: TenantId | undefined): Promise<FileCheck> {
  const firstLines = new Map<string, number>();
  const tenants = new Set<TenantId>();
  const badRows: BadRowError[] = [];
  let badRowCount = 0;
  let withoutToken = 0;
  const onBadRow = (error: BadRowError) => {
    badRowCount += 1;
    if (badRows.length < shownBadRows) badRows.push(error);
  };
  for await (const row of readDeviceRows(file, { defaultTenant, onBadRow })) {
    const key = deviceKey(row.tenantId, row.deviceId);
    const earlier = firstLines.get(key);
    if (earlier !== undefined) {
      onBadRow(new BadRowError(row.line, `device ${row.deviceId} is in line ${earlier} already.`));
      continue;
    }
    firstLines.set(key, row.line);
    tenants.add(row.tenantId);
    if (row.tokenSha256 === undefined) withoutToken += 1;
  }
  return { devices: firstLines.size, withoutToken, tenants, badRows, badRowCount };
}

import {
  type DeviceId,
  identifierRules,
  isDeviceId,
  isTenantId,
  type TenantId,
} from '../../../model/identifiers.ts';
import { hashToken, tokenFault } from '../../../model/token.ts';
import { BadRowError } from './bad-row-error.ts';

export const requiredColumns: readonly string[] = ['device_id', 'site_id'];
export const knownColumns: readonly string[] = [
  'tenant_id',
  ...requiredColumns,
  'token',
  'token_sha256',
  'rate_per_second',
  'burst',
  'max_sensors',
];

/** One device of the file, checked. */
export interface DeviceRow {
  /** Of the file, from 1. */
  readonly line: number;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly siteId: string;
  /** Undefined: the file brings no token. */
  readonly tokenSha256: Uint8Array | undefined;
  readonly ratePerSecond: number | undefined;
  readonly burst: number | undefined;
  readonly maxSensors: number | undefined;
}

type Cells = Readonly<Record<string, string>>;

/** Checks one row; what is wrong with it comes back as an error that names the value, though never a token. */
export function readDeviceRow(
  cells: Cells,
  line: number,
  defaultTenant: TenantId | undefined,
): DeviceRow | BadRowError {
  try {
    return {
      line,
      tenantId: tenantOf(cells, line, defaultTenant),
      deviceId: deviceOf(cells, line),
      siteId: siteOf(cells, line),
      tokenSha256: tokenOf(cells, line),
      ratePerSecond: numberOf(cells, 'rate_per_second', line, {
        whole: false,
        least: 0.001,
        most: 10_000_000,
      }),
      burst: numberOf(cells, 'burst', line, { whole: true, least: 1, most: 100_000_000 }),
      maxSensors: numberOf(cells, 'max_sensors', line, { whole: true, least: 0, most: 100_000 }),
    };
  } catch (error) {
    if (error instanceof BadRowError) return error;
    throw error;
  }
}

function tenantOf(cells: Cells, line: number, defaultTenant: TenantId | undefined): TenantId {
  const text = cells.tenant_id ?? '';
  if (text === '') {
    if (defaultTenant !== undefined) return defaultTenant;
    throw new BadRowError(line, 'it names no tenant_id; --tenant gives one to all rows without.');
  }
  if (isTenantId(text)) return text;
  throw new BadRowError(line, `tenant_id ${JSON.stringify(text)} is not ${identifierRules.tenant_id}.`);
}

function deviceOf(cells: Cells, line: number): DeviceId {
  const text = cells.device_id ?? '';
  if (isDeviceId(text)) return text;
  throw new BadRowError(line, `device_id ${JSON.stringify(text)} is not ${identifierRules.device_id}.`);
}

function siteOf(cells: Cells, line: number): string {
  const text = cells.site_id ?? '';
  if (text !== '' && text.length <= 128 && !text.includes('\0')) return text;
  throw new BadRowError(
    line,
    `site_id ${JSON.stringify(text.slice(0, 40))} does not have 1 to 128 characters.`,
  );
}

function tokenOf(cells: Cells, line: number): Uint8Array | undefined {
  const token = cells.token ?? '';
  const sha256 = cells.token_sha256 ?? '';
  if (token !== '' && sha256 !== '') throw new BadRowError(line, 'it has both a token and a token_sha256.');
  if (sha256 !== '') {
    if (/^[0-9a-f]{64}$/i.test(sha256)) return Buffer.from(sha256, 'hex');
    throw new BadRowError(line, `token_sha256 ${JSON.stringify(sha256.slice(0, 70))} is not 64 hex digits.`);
  }
  if (token === '') return undefined;
  const fault = tokenFault(token);
  if (fault !== undefined) throw new BadRowError(line, `the token ${fault}.`);
  return hashToken(token);
}

interface Bounds {
  readonly whole: boolean;
  readonly least: number;
  readonly most: number;
}

function numberOf(cells: Cells, column: string, line: number, bounds: Bounds): number | undefined {
  const text = cells[column] ?? '';
  if (text === '') return undefined;
  const value = (bounds.whole ? /^\d+$/ : /^\d+(\.\d+)?$/).test(text) ? Number(text) : Number.NaN;
  if (value >= bounds.least && value <= bounds.most) return value;
  const kind = bounds.whole ? 'a whole number' : 'a number';
  throw new BadRowError(
    line,
    `${column} ${JSON.stringify(text.slice(0, 40))} is not ${kind} from ${bounds.least} to ${bounds.most}.`,
  );
}

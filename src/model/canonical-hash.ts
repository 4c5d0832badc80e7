import { createHash } from 'node:crypto';
import { canonicalDecimal } from './decimal.ts';
import { isRawNumber } from './exact-json.ts';

/** Where the doors differ: a batch item carries its address, HTTP and MQTT carry it outside the body. */
const doorKeys: ReadonlySet<string> = new Set([
  'provision_token',
  'msg_id',
  'tenant_id',
  'device_id',
  'msg_type',
]);

/**
 * Canonical JSON of a payload, the same for the same message over HTTP, batch and MQTT: keys sorted by code
 * unit, no white space, numbers by value (`1`, `1.0` and `1e0` are equal), top-level keys that belong to the door
 * left out. Parse with `parseExactJson`, or different big numbers become equal; depth is the caller's to bound.
 */
export function canonicalBody(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return canonicalJson(value);
  return canonicalObject(value, doorKeys);
}

/** SHA-256 of the canonical body, the first 16 bytes as 32 hex digits. */
export function bodyHash(value: unknown): string {
  return shortHash(canonicalBody(value));
}

/** The first 16 bytes of the SHA-256 of a text's UTF-8 form, as 32 lower-case hex digits. */
export function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

/** Canonical JSON of any parsed value, nothing left out. */
export function canonicalJson(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  // A number that JSON.parse kept exactly is never equal to one it could not keep, so the two forms cannot meet.
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (isRawNumber(value)) return canonicalDecimal(value.rawJSON);
  return canonicalObject(value);
}

function canonicalObject(value: object, without?: ReadonlySet<string>): string {
  const fields = value as Record<string, unknown>;
  let text = '';
  for (const key of Object.keys(fields).sort()) {
    if (without?.has(key)) continue;
    text += `${text === '' ? '' : ','}${JSON.stringify(key)}:${canonicalJson(fields[key])}`;
  }
  return `{${text}}`;
}

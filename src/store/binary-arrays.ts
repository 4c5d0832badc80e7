/**
 * PostgreSQL arrays in its binary format, made column by column out of rows. The driver sends a Buffer as it is. An array it
 * writes as text, each element in quotes, which takes five to forty times as long.
 *
 * The statement has to say the very type: `$1::bigint[]`. PostgreSQL checks each value as it arrives, with the SQLSTATE
 * that it would give for the same value as text.
 */

type Column<Row, Value> = (row: Row) => Value;

/** `pg_type.oid` of the elements: fixed for all versions. */
const oids = { int4: 23, int8: 20, text: 25, jsonb: 3802, timestamptz: 1184, uuid: 2950 } as const;
const jsonbVersion = 1;
/** PostgreSQL counts from 2000-01-01. */
const postgresEpochUs = 946_684_800_000_000;
const headerBytes = 20;
const lengthBytes = 4;
const nullLength = -1;
/** Up to here writing characters one by one is faster than asking for it. */
const shortText = 24;

/** `int[]` */
export function int4Array<Row>(rows: readonly Row[], of: Column<Row, number>): Buffer {
  return fixedArray(rows, oids.int4, 4, (view, at, row) => {
    view.setInt32(at, of(row));
    return true;
  });
}

/** `bigint[]` of safe integers */
export function int8Array<Row>(rows: readonly Row[], of: Column<Row, number | undefined>): Buffer {
  return fixedArray(rows, oids.int8, 8, (view, at, row) => {
    const value = of(row);
    if (value === undefined) return false;
    writeInt8(view, at, value);
    return true;
  });
}

/** `bigint[]` of any 64 bits */
export function bigintArray<Row>(rows: readonly Row[], of: Column<Row, bigint>): Buffer {
  return fixedArray(rows, oids.int8, 8, (view, at, row) => {
    view.setBigInt64(at, of(row));
    return true;
  });
}

/** `timestamptz[]` of µs since 1970 */
export function timestampArray<Row>(rows: readonly Row[], usOf: Column<Row, number>): Buffer {
  return fixedArray(rows, oids.timestamptz, 8, (view, at, row) => {
    writeInt8(view, at, usOf(row) - postgresEpochUs);
    return true;
  });
}

/**
 * `uuid[]` of 32 hex digits
 * @throws RangeError for anything else
 */
export function uuidArray<Row>(rows: readonly Row[], of: Column<Row, string>): Buffer {
  return fixedArray(rows, oids.uuid, 16, (_view, at, row, buffer) => {
    const hex = of(row);
    const written = buffer.write(hex, at, 16, 'hex');
    if (written !== 16 || hex.length !== 32)
      throw new RangeError(`${hex} is not an identity of 32 hex digits`);
    return true;
  });
}

/** `text[]` */
export function textArray<Row>(rows: readonly Row[], of: Column<Row, string | undefined>): Buffer {
  return variableArray(rows, oids.text, of, 0);
}

/** `jsonb[]` of JSON texts */
export function jsonbArray<Row>(rows: readonly Row[], of: Column<Row, string | undefined>): Buffer {
  return variableArray(rows, oids.jsonb, of, 1);
}

/** `write` says whether there is a value. */
function fixedArray<Row>(
  rows: readonly Row[],
  oid: number,
  size: number,
  write: (view: DataView, at: number, row: Row, buffer: Buffer) => boolean,
): Buffer {
  const buffer = Buffer.allocUnsafe(headerBytes + rows.length * (lengthBytes + size));
  const view = viewOf(buffer);
  let at = headerBytes;
  let hasNull = false;
  for (const row of rows) {
    const isPresent = write(view, at + lengthBytes, row, buffer);
    view.setInt32(at, isPresent ? size : nullLength);
    at += lengthBytes + (isPresent ? size : 0);
    hasNull ||= !isPresent;
  }
  return withHeader(buffer.subarray(0, at), oid, rows.length, hasNull);
}

/** `prefixBytes`: of the version that goes before each JSON text. */
function variableArray<Row>(
  rows: readonly Row[],
  oid: number,
  of: Column<Row, string | undefined>,
  prefixBytes: 0 | 1,
): Buffer {
  let mostBytes = headerBytes;
  // A UTF-16 unit is at most 3 bytes of UTF-8.
  for (const row of rows) mostBytes += lengthBytes + prefixBytes + (of(row)?.length ?? 0) * 3;
  const buffer = Buffer.allocUnsafe(mostBytes);
  const view = viewOf(buffer);
  let at = headerBytes;
  let hasNull = false;
  for (const row of rows) {
    const text = of(row);
    const start = at + lengthBytes + prefixBytes;
    if (text === undefined) hasNull = true;
    if (prefixBytes === 1 && text !== undefined) buffer[start - 1] = jsonbVersion;
    const length = text === undefined ? nullLength : prefixBytes + writeText(buffer, start, text);
    view.setInt32(at, length);
    at += lengthBytes + Math.max(0, length);
  }
  return withHeader(buffer.subarray(0, at), oid, rows.length, hasNull);
}

function withHeader(buffer: Buffer, oid: number, elements: number, hasNull: boolean): Buffer {
  const view = viewOf(buffer);
  const dimensions = elements === 0 ? 0 : 1;
  view.setInt32(0, dimensions);
  view.setInt32(4, hasNull ? 1 : 0);
  view.setInt32(8, oid);
  if (dimensions === 0) return buffer.subarray(0, 12);
  view.setInt32(12, elements);
  // The index of the first.
  view.setInt32(16, 1);
  return buffer;
}

/** @returns how many bytes it took. */
function writeText(buffer: Buffer, start: number, text: string): number {
  if (text.length > shortText) return buffer.write(text, start, 'utf8');
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit > 0x7f) return buffer.write(text, start, 'utf8');
    buffer[start + index] = unit;
  }
  return text.length;
}

/** Both halves, two's complement: much faster than by way of a BigInt. */
function writeInt8(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 2 ** 32));
  view.setUint32(at + 4, value);
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}

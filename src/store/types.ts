import pg from 'pg';

const int8 = 20;
const json = 114;
const jsonb = 3802;

/**
 * How columns arrive, so that nothing is rounded on the way out:
 *
 * - `int8` as `bigint`: sequences and nanoseconds go past 2^53. `toSafeNumber` makes numbers of small ones.
 * - `json`, `jsonb` as text: `JSON.parse` rounds big integers and turns 1e400 into Infinity.
 * - `numeric` as text, `bytea` as Buffer, `timestamptz` as Date: the driver's own. A Date holds whole ms; a
 *   statement that shows event time to the µs renders it in SQL.
 */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (format === 'binary') return pg.types.getTypeParser(oid, format);
    if (oid === int8) return BigInt;
    if (oid === json || oid === jsonb) return (text: string) => text;
    return pg.types.getTypeParser(oid, format);
  },
};

/** @throws RangeError when a double cannot hold the value exactly. */
export function toSafeNumber(value: bigint): number {
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number;
  throw new RangeError(`${value} does not fit a double: keep it as a bigint`);
}

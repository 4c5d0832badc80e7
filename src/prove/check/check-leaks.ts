import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type pg from 'pg';
import type { Violation } from '../violation.ts';

/** A row as text has its texts and JSON as they are, and its bytes in hex. */
const rowsText = (table: string) =>
  `select count(*)::int as rows from ${table} t
   where position($1 in t::text) > 0 or position(encode(convert_to($1, 'UTF8'), 'hex') in t::text) > 0`;

const tablesText = `
select oid::regclass::text as name from pg_class
where relkind in ('r', 'p') and not relispartition and relnamespace = 'public'::regnamespace order by 1`;

/**
 * The token stops at the worker: none in any table, nor in a log.
 * @param mark what every token of the run holds, and nothing else
 */
export async function checkLeaks(pool: pg.Pool, logFolder: string, mark: string): Promise<Violation[]> {
  const found: Violation[] = [];
  const tables = await pool.query<{ name: string }>(tablesText);
  for (const { name } of tables.rows) {
    const { rows } = await pool.query<{ rows: number }>(rowsText(name), [mark]);
    const count = rows[0]?.rows ?? 0;
    if (count > 0) found.push({ kind: 'leaked', what: `${count} rows of ${name} hold a device's token` });
  }
  for (const name of readdirSync(logFolder)) {
    if (readFileSync(join(logFolder, name)).includes(mark))
      found.push({ kind: 'leaked', what: `the log ${name} holds a device's token` });
  }
  return found;
}

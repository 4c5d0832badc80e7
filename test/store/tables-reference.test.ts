import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { withDatabase } from './with-database.ts';

test('the reference names every table and view of the database, and no others', () =>
  withDatabase({}, async ({ pool }) => {
    const text = readFileSync(new URL('../../docs/reference/tables.md', import.meta.url), 'utf8');
    const named = [...text.matchAll(/^(?:### |\| )`(\w+)`(?: \(view\)\n| \| [a-z]|\n)/gm)].map(
      ([, name]) => name,
    );
    const { rows } = await pool.query<{ name: string }>(
      `select relname as name from pg_class
       where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v') and not relispartition`,
    );
    const columns = await pool.query<{ name: string }>(
      `select distinct attname as name from pg_attribute join pg_class c on c.oid = attrelid
       where relnamespace = 'public'::regnamespace`,
    );
    const isColumn = new Set(columns.rows.map(({ name }) => name));
    const roles = ['tributary_reader', 'tributary_writer', 'tributary_door', 'tributary_delivery'];
    const tables = named.filter((name = '') => !isColumn.has(name) && !roles.includes(name));
    expect(tables.sort()).toEqual(rows.map(({ name }): string | undefined => name).sort());
  }));

import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  ChangedMigrationError,
  migrate,
  NewerSchemaError,
  OlderSchemaError,
  requireSchema,
} from '../../src/store/migrate.ts';
import { type Migration, migrations } from '../../src/store/migrations.ts';
import { withDatabase } from './with-database.ts';

const twoSteps: readonly Migration[] = [
  { version: 1, name: '0001_first', sql: 'create table first (id int)' },
  { version: 2, name: '0002_second', sql: 'create table second (id int); insert into first values (1)' },
];

test('an empty database is migrated, and a second call has nothing to do', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    await expect(requireSchema(pool)).rejects.toThrow(OlderSchemaError);
    const first = await migrate(pool);
    expect(first).toEqual({
      applied: migrations.map(({ name }) => name),
      version: migrations.at(-1)?.version ?? 0,
    });
    expect(await migrate(pool)).toEqual({ applied: [], version: migrations.at(-1)?.version ?? 0 });
    await requireSchema(pool);
    expect((await pool.query('select count(*) from telemetry')).rows).toEqual([{ count: 0n }]);
  }));

test('migrators that start together apply each migration once', () =>
  withDatabase({ migrated: false, max: 6 }, async ({ pool }) => {
    const racers = Array.from({ length: 6 }, () => migrate(pool, { migrations: twoSteps }));
    const results = await Promise.all(racers);
    expect(results.flatMap(({ applied }) => applied).sort()).toEqual(['0001_first', '0002_second']);
    expect(results.map(({ version }) => version)).toEqual([2, 2, 2, 2, 2, 2]);
    expect((await pool.query('select id from first')).rows).toEqual([{ id: 1 }]);
  }));

test('a database of a newer version is refused in one sentence', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    await migrate(pool);
    await pool.query(
      `insert into tributary_migrations (version, name, checksum) values (999, '0999_later', '')`,
    );
    for (const attempt of [migrate(pool), requireSchema(pool)]) {
      const error = await attempt.then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(NewerSchemaError);
      expect(String(error)).toMatch(/schema version 999 \(0999_later\).*install the newer Tributary/);
      expect(String(error)).not.toContain('\n');
    }
  }));

test('a migration that was changed after it was applied is refused', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    await migrate(pool, { migrations: twoSteps });
    const changed = twoSteps.map((step) => ({ ...step, sql: `${step.sql} -- changed` }));
    await expect(migrate(pool, { migrations: changed })).rejects.toThrow(ChangedMigrationError);
  }));

test('a migration that fails leaves nothing behind and keeps the ones before it', () =>
  withDatabase({ migrated: false }, async ({ pool }) => {
    const second = { version: 2, name: '0002_second', sql: 'create table second (id int); select 1/0' };
    const broken = [...twoSteps.slice(0, 1), second];
    await expect(migrate(pool, { migrations: broken })).rejects.toThrow('division by zero');
    expect((await pool.query(`select to_regclass('second') as second`)).rows).toEqual([{ second: null }]);
    expect(await migrate(pool, { migrations: twoSteps })).toEqual({ applied: ['0002_second'], version: 2 });
  }));

test('every file of sql/migrations is in the list, numbered in order', () => {
  const folder = fileURLToPath(new URL('../../sql/migrations', import.meta.url));
  const files = readdirSync(folder).filter((file) => file.endsWith('.sql'));
  expect(migrations.map(({ name }) => `${name}.sql`)).toEqual(files.sort());
  const versions = migrations.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
  for (const { version, name } of migrations) expect(Number(name.slice(0, 4))).toBe(version);
});

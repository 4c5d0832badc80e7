import { expect, test } from 'bun:test';
import { createTestDatabase } from '../harness/postgres.ts';
import { runTributary } from '../harness/role-process.ts';

test('migrate applies what is missing and then has nothing to do; before it, commands say to run it', async () => {
  await using database = await createTestDatabase({ migrated: false });
  const env = { DATABASE_URL: database.url };
  const early = await runTributary(['tenant', 'list'], env);
  expect(early.code).toBe(1);
  expect(early.stderr).toContain('lacks tables of this version: run tributary migrate.');
  const first = await runTributary(['migrate', '--json'], env);
  const { applied, version } = JSON.parse(first.stdout) as { applied: string[]; version: number };
  expect(applied).toHaveLength(version);
  const second = await runTributary(['migrate'], env);
  expect(second).toEqual({
    code: 0,
    stdout: `Nothing to do: the database is at version ${version}.\n`,
    stderr: '',
  });
  expect((await runTributary(['tenant', 'list'], env)).code).toBe(0);
});

import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { RegistryView } from '../../src/model/registry.ts';
import type { Verdict } from '../../src/model/verdict.ts';
import { createTestDatabase, type TestDatabase } from '../harness/postgres.ts';
import { createSettling } from './settling.ts';

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database[Symbol.asyncDispose]());

const internal: Verdict = { outcome: 'internal' };
const revoked: Verdict = {
  outcome: 'quarantine',
  rejection: { reason: 'DEVICE_REVOKED', detail: 'Device "d1" is revoked.' },
};

/** A registry of the version that the database has, or `behind` by so much until it is refreshed. */
async function registryBehind(behind: number): Promise<RegistryView & { refresh(): Promise<void> }> {
  const { rows } = await database.pool.query<{ version: string }>('select version from registry_version');
  const current = Number(rows[0]?.version);
  let version = current - behind;
  return {
    device: () => undefined,
    tenant: () => undefined,
    get version() {
      return version;
    },
    refresh: async () => {
      version = current;
    },
  };
}

test('a registry that stays the same is asked once for each message', async () => {
  const registry = await registryBehind(0);
  let judged = 0;
  const judge = () => {
    judged += 1;
    return internal;
  };
  const settling = await createSettling(database.pool, { registry, judge });
  await settling.run([{ seq: 1 }, { seq: 2 }]);
  expect(judged).toBe(2);
});

test('a registry that turns out to be behind is refreshed, and the messages are judged again by it', async () => {
  const registry = await registryBehind(1);
  const old = registry.version;
  const judge = () => (registry.version === old ? internal : revoked);
  const settling = await createSettling(database.pool, { registry, judge });
  expect(await settling.run([{ seq: 1 }, { seq: 2 }])).toEqual(['quarantined', 'quarantined']);
});

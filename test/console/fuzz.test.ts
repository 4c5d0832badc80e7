import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { isOfTenant, type Operation } from '../../src/console/operation.ts';
import { operations } from '../../src/console/operations/operations.ts';
import { createSeededRandom } from '../../src/lib/seeded-random.ts';
import { createMutator } from './mutations.ts';
import { exampleOf, optionsOf, pathOf } from './requests.ts';
import { type Answer, createWorld, hidden, type KeyName, type World } from './world.ts';

/** Of each operation, with each key. */
const rounds = 16;
const seed = 20_261_129;

let world: World;
let foreignBefore: string;
beforeAll(async () => {
  world = await createWorld();
  foreignBefore = await rowsOfForeign();
});
afterAll(() => world.close());

/** Everything that belongs to the other tenant, as text. */
async function rowsOfForeign(): Promise<string> {
  const { rows: tables } = await world.pool.query(`select table_name from information_schema.columns
    join information_schema.tables using (table_schema, table_name)
    where column_name = 'tenant_id' and table_schema = 'public' and table_type = 'BASE TABLE'
      and table_name not like 'telemetry\\_%' order by 1`);
  const texts = await Promise.all(
    tables.map(async ({ table_name }) => {
      const { rows } = await world.pool.query(
        `select coalesce(string_agg(t::text, ' ' order by t::text), '') as all from ${table_name} t
         where tenant_id = 'foreign'`,
      );
      return `${table_name}: ${rows[0].all}`;
    }),
  );
  return texts.join('\n');
}

/** What changes may have taken from the caller, so that the next request is not just refused. */
async function restore(): Promise<void> {
  await world.pool.query('update tenant_keys set revoked_at = null, expires_at = null where name = level');
  await world.pool.query(`update operator_keys set revoked_at = null where name = 'op'`);
}

function faultOf({ status, text, headers }: Answer): string | undefined {
  if (status >= 500 && !(status === 503 && text.includes('NATS'))) return `${status} ${text.slice(0, 200)}`;
  const isProblem = headers.get('Content-Type') === 'application/problem+json';
  if (status >= 400 && !isProblem) return `${status} is no problem details: ${text.slice(0, 200)}`;
  return undefined;
}

async function fuzz(operation: Operation, keys: readonly KeyName[]): Promise<void> {
  const mutate = createMutator(createSeededRandom(seed + operation.id.length));
  for (const key of keys) {
    for (let round = 0; round < rounds; round += 1) {
      const example = mutate(operation, await exampleOf(operation, world));
      // Else nothing would be left to look at.
      if (operation.id === 'deleteTenant' && ['own', 'foreign'].includes(example.params?.tenant_id ?? 'own'))
        continue;
      const path = pathOf(operation, example);
      const answer = await world.call(operation.method, path, optionsOf(operation, example, key));
      const sent = `${operation.method} ${path.slice(0, 300)} ${JSON.stringify(example.body ?? null).slice(0, 300)}`;
      expect([sent, faultOf(answer)]).toEqual([sent, undefined]);
      if (key !== 'operator') expect([sent, answer.text.includes(hidden)]).toEqual([sent, false]);
    }
    await restore();
  }
}

describe('whatever is sent, no operation fails or gives another tenant’s rows', () => {
  const those = operations.filter((operation) => operation.access !== 'operator');
  test.each(those.map((operation) => [operation.id, operation] as const))('%s', async (_id, operation) => {
    await fuzz(operation, operation.access === 'admin' ? ['admin'] : ['write', 'admin']);
  });
});

test('all of this has changed nothing of the other tenant', async () => {
  expect(await rowsOfForeign()).toBe(foreignBefore);
});

describe('whatever an operator sends, no operation fails', () => {
  const those = operations.filter((operation) => operation.access === 'operator' || isOfTenant(operation));
  test.each(those.map((operation) => [operation.id, operation] as const))('%s', (_id, operation) =>
    fuzz(operation, ['operator']),
  );
});

import { afterAll, beforeAll, expect, test } from 'bun:test';
import { deadLetter } from './operation-examples/dead-letters.ts';
import { createWorld, hidden, type KeyName, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const own = '/tenants/own/dead-letters';
const post = (path: string, body: unknown, key: KeyName = 'write') => world.call('POST', path, { key, body });
const lastAudit = async () =>
  (
    await world.pool.query<{ action: string; detail: string }>(
      'select action, detail::text from audit_log order by entry_id desc limit 1',
    )
  ).rows[0];

test('a dead letter is listed, shown with its message, and queued again in one transaction with its note', async () => {
  const [first, second] = [await deadLetter(world), await deadLetter(world)];
  const page = await world.call('GET', `${own}?limit=1`, { key: 'read' });
  expect(page.json).toMatchObject({ items: [{ id: Number(second), route_name: 'dead', attempts: 3 }] });
  const { next } = page.json as { next: string };
  const rest = await world.call('GET', `${own}?limit=1&cursor=${next}`, { key: 'read' });
  expect(rest.json).toMatchObject({ items: [{ id: Number(first) }], next: null });
  const shown = await world.call('GET', `${own}/${first}`, { key: 'read' });
  expect(shown.json).toMatchObject({ device_id: 'own-1', msg_type: 'telemetry', event: null });
  expect(shown.text).toContain('"temp": 12345678901234567890.5');
  const dry = await post(`${own}/replay`, { route: 'dead', dry_run: true });
  expect(dry.json).toMatchObject({ dry_run: true, ready: 2, replayed: 0 });
  expect((await post(`${own}/replay`, { ids: [first] })).json).toMatchObject({ ready: 1, replayed: 1 });
  expect(await lastAudit()).toMatchObject({ action: 'dead-letters.replay' });
  const { rows } = await world.pool.query<{ jobs: number }>(
    'select jobs from route_outbox order by job_group desc limit 1',
  );
  expect(rows).toEqual([{ jobs: 1 }]);
  expect((await world.call('GET', `${own}/${first}`, { key: 'read' })).status).toBe(404);
  expect((await post(`${own}/purge`, { all: true })).json).toEqual({
    dry_run: false,
    dead_letters: 1,
    purged: 1,
  });
  expect(await lastAudit()).toMatchObject({ action: 'dead-letters.purge' });
});

test('what waits for a route that is off stays, and is counted apart', async () => {
  await deadLetter(world);
  await world.pool.query(`update routes set enabled = false where tenant_id = 'own'`);
  expect((await post(`${own}/replay`, { all: true })).json).toMatchObject({
    ready: 0,
    replayed: 0,
    route_disabled: 1,
  });
});

test('nobody reaches another tenant’s dead letters, and nothing is done to all unless that is said', async () => {
  const foreign = await deadLetter(world, 'foreign', hidden);
  expect((await world.call('GET', `${own}/${foreign}`, { key: 'admin' })).status).toBe(404);
  expect((await post(`${own}/replay`, { ids: [foreign] }, 'admin')).json).toMatchObject({ replayed: 0 });
  expect((await post(`${own}/purge`, { all: true }, 'admin')).status).toBe(200);
  const { rows } = await world.pool.query('select tenant_id from dead_letters');
  expect(rows).toEqual([{ tenant_id: 'foreign' }]);
  for (const what of ['replay', 'purge']) expect((await post(`${own}/${what}`, {})).status).toBe(400);
});

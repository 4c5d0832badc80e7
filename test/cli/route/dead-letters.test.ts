import { afterEach, beforeEach, expect, test } from 'bun:test';
import { until } from '../../harness/until.ts';
import { insertRoute, totalsOf } from '../../worker/routing/insert-route.ts';
import { createRoutingWorld, type RoutingWorld } from '../../worker/routing/routing-world.ts';
import { hex } from '../../worker/settling.ts';
import { runInProcess } from '../in-process.ts';

let world: RoutingWorld;
beforeEach(async () => {
  world = await createRoutingWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const cli = (...args: string[]) => runInProcess(args, { DATABASE_URL: world.databaseUrl });

async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli(...args, '--json');
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

const emptied = () => until(async () => (await world.outbox()) === 0, { what: 'the outbox is empty' });

/** Jobs in ROUTES by their ids, with how often each is there. */
async function published(): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { routeId, identity } of await world.jobs()) {
    const id = `${routeId}/${identity}`;
    counts[id] = (counts[id] ?? 0) + 1;
  }
  return counts;
}

/** The settled messages' jobs of a route become dead letters, as delivery makes them. */
async function die(routeId: number, seqs: readonly number[], reason = 'REFUSED'): Promise<void> {
  await world.pool.query(
    `insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, time, identity, attempts)
     select t.tenant_id, r.route_id, r.name, $3, 'answered 400: no', 'message', t.time, t.identity, 1
     from routes r, telemetry t where r.route_id = $1 and t.stream_seq = any($2::int[])`,
    [routeId, seqs, reason],
  );
  await world.pool.query(
    `insert into route_totals (route_id, shard, tenant_id, dead) values ($1, 1, 'acme', $2)
     on conflict (route_id, shard) do update set dead = route_totals.dead + excluded.dead`,
    [routeId, seqs.length],
  );
}

const held = async () =>
  (await world.rows<{ n: number }>('select count(*)::int as n from dead_letters'))[0]?.n;

test('a replay moves each dead letter back to its route alone, at once after the first publish, and counts it', async () => {
  const one = await insertRoute(world.pool, { name: 'one' });
  const two = await insertRoute(world.pool, { name: 'two' });
  const { settling } = await world.start();
  await settling.run([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
  await emptied();
  await die(one, [1, 2]);
  expect(await json('dead-letters', 'replay', '--route', 'one', '--dry-run')).toEqual({
    dry_run: true,
    ready: 2,
    replayed: 0,
    route_removed: 0,
    route_disabled: 0,
    message_gone: 0,
  });
  expect(await held()).toBe(2);
  expect(await json('dead-letters', 'replay', '--tenant', 'acme')).toMatchObject({ ready: 2, replayed: 2 });
  await emptied();
  // Within JetStream's window of duplicates: the first publish must not hide the second.
  expect(await published()).toEqual({
    [`${one}/${hex(1)}`]: 2,
    [`${one}/${hex(2)}`]: 2,
    [`${one}/${hex(3)}`]: 1,
    [`${two}/${hex(1)}`]: 1,
    [`${two}/${hex(2)}`]: 1,
    [`${two}/${hex(3)}`]: 1,
  });
  expect(await totalsOf(world.pool, one)).toMatchObject({ matched: 5, published: 5, dead: 2 });
  expect(await json('route', 'show', 'acme', 'one')).toMatchObject({ replayed: 2, dead_letters: 0, dead: 2 });
});

test('a job that died twice is owed once', async () => {
  const route = await insertRoute(world.pool, { name: 'one' });
  const { settling } = await world.start();
  await settling.run([{ seq: 1 }]);
  await emptied();
  await die(route, [1]);
  await die(route, [1], 'GAVE_UP');
  expect(await json('dead-letters', 'replay', '--all')).toMatchObject({ replayed: 2 });
  await emptied();
  expect(await published()).toEqual({ [`${route}/${hex(1)}`]: 2 });
});

test('what cannot be sent stays, and it is said why', async () => {
  const removed = await insertRoute(world.pool, { name: 'removed' });
  const off = await insertRoute(world.pool, { name: 'off' });
  const on = await insertRoute(world.pool, { name: 'on' });
  const { settling } = await world.start();
  await settling.run([{ seq: 1 }, { seq: 2 }]);
  await emptied();
  await die(removed, [1]);
  await die(off, [1]);
  await die(on, [1, 2]);
  await world.pool.query(`delete from routes where name = 'removed'`);
  await world.pool.query(`update routes set enabled = false where name = 'off'`);
  await world.pool.query('delete from telemetry where stream_seq = 2');
  const { stdout } = await cli('dead-letters', 'replay', '--all');
  expect(stdout).toContain('Dead letters queued again: 1.');
  expect(stdout).toContain('1 stay: their route was removed.');
  expect(stdout).toContain('1 stay: their route is off');
  expect(stdout).toContain('1 stay: their message is not stored any more.');
  expect((await cli('route', 'show', 'acme', 'on')).stdout).toContain(': 1 replayed');
  expect(await held()).toBe(3);
});

test('a change of status is replayed for its own route, without being matched anew', async () => {
  const one = await insertRoute(world.pool, { name: 'one', firesOn: ['status'] });
  await insertRoute(world.pool, { name: 'two', firesOn: ['status'] });
  await world.start();
  await world.pool.query(
    `insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, event)
     values ('acme', $1, 'one', 'GAVE_UP', 'no', 'status',
       '{"v":1,"device_id":"d1","status":"OFFLINE","previous":"ONLINE","since":"2026-06-01T00:00:00.000Z"}')`,
    [one],
  );
  expect(await json('dead-letters', 'replay', '--all')).toMatchObject({ replayed: 1 });
  await emptied();
  expect(await world.jobs()).toMatchObject([
    { kind: 'status', routeId: one, tenantId: 'acme', deviceId: 'd1', status: 'OFFLINE', previous: 'ONLINE' },
  ]);
  expect(await totalsOf(world.pool, one)).toMatchObject({ matched: 1, published: 1 });
});

test('purge deletes what is meant, and it stays counted', async () => {
  const route = await insertRoute(world.pool, { name: 'one' });
  const { settling } = await world.start();
  await settling.run([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
  await emptied();
  await die(route, [1, 2]);
  await die(route, [3], 'GAVE_UP');
  expect((await cli('dead-letters', 'purge')).code).toBe(2);
  expect(await json('dead-letters', 'purge', '--reason', 'refused', '--dry-run')).toEqual({
    dry_run: true,
    dead_letters: 2,
    purged: 0,
  });
  expect((await cli('dead-letters', 'purge', '--reason', 'refused')).stdout).toBe(
    '2 dead letters were deleted.\n',
  );
  expect(await json('route', 'show', 'acme', 'one')).toMatchObject({ purged: 2, dead: 3, dead_letters: 1 });
});

test('list and show name the reason and the message', async () => {
  const route = await insertRoute(world.pool, { name: 'one' });
  const { settling } = await world.start();
  await settling.run([{ seq: 1, metricsText: '{"big": 12345678901234567890}' }]);
  await emptied();
  await die(route, [1]);
  const [letter] = await json<{ dead_letter_id: number }[]>('dead-letters', 'list', '--reason', 'REFUSED');
  expect(letter).toMatchObject({ tenant_id: 'acme', route_name: 'one', identity: hex(1), attempts: 1 });
  const id = String(letter?.dead_letter_id);
  const { stdout } = await cli('dead-letters', 'show', id);
  expect(stdout).toMatch(/^metrics +\{"big": 12345678901234567890\}$/m);
  expect((await cli('dead-letters', 'show', id, '--json')).stdout).toContain('"big": 12345678901234567890');
  const list = await cli('dead-letters', 'list');
  expect(list.stdout.split('\n').filter((line) => Bun.stringWidth(line) > 80)).toEqual([]);
  expect((await cli('dead-letters', 'show', '4711')).stderr).toContain('no dead letter has the number 4711');
});

import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { tempFolder } from '../harness/temp-folder.ts';
import { createWorld, type World } from '../worker/replay/quarantine-world.ts';
import { runInProcess } from './in-process.ts';

const folder = tempFolder('audit-log');
const secretsKey = randomBytes(32).toString('base64');
let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  folder.remove();
  await world[Symbol.asyncDispose]();
});
beforeEach(() => world.pool.query('delete from audit_log'));

interface Entry {
  readonly who: string;
  readonly tenant: string | null;
  readonly action: string;
  readonly target: string;
  /** JSON text, numbers and spaces as jsonb prints them. */
  readonly detail: unknown;
}

/** Since the test began, the oldest first. */
async function entries(): Promise<Entry[]> {
  const rows = await world.rows<Entry & { detail: string }>(
    `select actor_kind || ' ' || coalesce(actor_key_id::text, 'none') || ' ' || actor_name as who, tenant_id as tenant,
       action, target, detail::text from audit_log order by entry_id`,
  );
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
}

const user = Bun.spawnSync(['id', '-un']).stdout.toString().trim();
const who = `cli none ${user}@${hostname()}`;
const entry = (tenant: string | null, action: string, target: string, detail: unknown = {}): Entry => ({
  who,
  tenant,
  action,
  target,
  detail,
});

const run = (line: string, ...more: string[]) =>
  runInProcess([...line.split(' '), ...more], {
    DATABASE_URL: world.database.url,
    TRIBUTARY_SECRETS_KEY: secretsKey,
    // NATS is not there, and nothing here needs it.
    NATS_URL: 'nats://127.0.0.1:1',
  });

async function cli(line: string, ...more: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(line, ...more);
  if (code !== 0) throw new Error(`${line}: ${stderr}`);
  return stdout;
}

test('what is done to tenants, devices and keys stands in the audit log, by whom, without secrets', async () => {
  await cli('tenant add acme --name Acme --rate 100 --burst 200');
  await cli('tenant limits acme --rate default');
  await cli('device add acme d1 --site s1 --token its-token --rate 5 --burst 10');
  await cli('device rotate acme d1 --grace 1h --token another-token');
  await cli('device limits acme d1 --max-sensors 7');
  await cli('device revoke acme d1');
  await cli('device delete acme d1');
  await cli('key add acme dash --level write');
  await cli('key revoke acme dash');
  await cli('operator-key add alice');
  await cli('operator-key revoke alice');
  const log = await entries();
  const number = (action: string) => log.find((each) => each.action === action)?.target ?? '';
  expect(log).toEqual([
    entry(null, 'tenant.create', 'acme', { name: 'Acme', rate_per_second: 100, burst: 200 }),
    entry('acme', 'tenant.change', 'acme', { rate_per_second: null }),
    entry('acme', 'device.create', 'd1', { site_id: 's1', rate_per_second: 5, burst: 10 }),
    entry('acme', 'device.rotate', 'd1', { grace_ms: 3_600_000 }),
    entry('acme', 'device.change', 'd1', { max_sensors: 7 }),
    entry('acme', 'device.revoke', 'd1'),
    entry('acme', 'device.delete', 'd1', { registered: true, with_data: false }),
    entry('acme', 'key.create', 'dash', { level: 'write' }),
    entry('acme', 'key.revoke', number('key.revoke'), { name: 'dash', level: 'write' }),
    entry(null, 'operator_key.create', 'alice'),
    entry(null, 'operator_key.revoke', number('operator_key.revoke'), { name: 'alice' }),
  ]);
  expect(number('key.revoke')).toMatch(/^\d+$/);
  expect(JSON.stringify(log)).not.toMatch(/token|trk_|tro_/);
});

test('what is done to routes stands in it, with what was changed, and that secrets were', async () => {
  await cli('tenant add routed');
  const webhook = 'https://hooks.example/a';
  const made = JSON.parse(await cli('route add routed hot --json --webhook', webhook)) as {
    readonly signing_secret: string;
  };
  await cli('route update routed hot --rate 20 --condition', 'metrics.t > 1.0');
  await cli('route update routed hot --unsigned');
  await cli('route disable routed hot --reason moving');
  await cli('route enable routed hot');
  await cli('route backfill routed hot --since 1h');
  await world.pool.query(
    `insert into route_backfills (route_id, since, until) select route_id, now(), now() from routes where name = 'hot'`,
  );
  await cli('route backfill routed hot --cancel');
  const secret = join(folder.path, 'secret');
  writeFileSync(secret, `whsec_${randomBytes(32).toString('base64')}`);
  await cli('route rotate routed hot --signing-secret', secret);
  await cli('route remove routed hot');
  const [, create, ...log] = await entries();
  expect(create).toMatchObject(entry('routed', 'route.create', 'hot', { enabled: true, condition: null }));
  expect(create?.detail).toMatchObject({ destination: { kind: 'webhook', url: webhook }, topic_filter: '#' });
  expect(log).toEqual([
    entry('routed', 'route.change', 'hot', { condition: 'metrics.t > 1.0', rate_per_second: 20 }),
    entry('routed', 'route.change', 'hot', { secrets: 'changed' }),
    entry('routed', 'route.disable', 'hot', { reason: 'moving' }),
    entry('routed', 'route.enable', 'hot'),
    entry('routed', 'route.backfill', 'hot', expect.objectContaining({ since: expect.any(String) })),
    entry('routed', 'route.backfill_cancel', 'hot'),
    entry('routed', 'route.rotate-secret', 'hot', { finish: false }),
    entry('routed', 'route.delete', 'hot'),
  ]);
  const text = JSON.stringify([create, ...log]);
  expect(text).not.toContain(made.signing_secret);
  expect(text).not.toContain('whsec_');
});

test('an import is one entry a tenant, whose counts are those of all its transactions', async () => {
  await cli('tenant add imported');
  await cli('tenant add beside');
  const rows = (count: number, tenant: string) =>
    Array.from({ length: count }, (_, i) => `${tenant}-${i},s1,${tenant},token-${i}\n`).join('');
  const file = join(folder.path, 'devices.csv');
  writeFileSync(file, `device_id,site_id,tenant_id,token\n${rows(4_500, 'imported')}${rows(3, 'beside')}`);
  await world.pool.query('delete from audit_log');
  await cli('device import', file);
  const counts = { updated: 0, unchanged: 0, new_tokens: 0, update: false };
  const byTenant = (await entries()).sort((a, b) => (a.tenant ?? '').localeCompare(b.tenant ?? ''));
  expect(byTenant).toEqual([
    entry('beside', 'device.import', 'devices', { added: 3, ...counts }),
    entry('imported', 'device.import', 'devices', { added: 4_500, ...counts }),
  ]);
});

test('mending, replaying and purging the quarantine and dead letters stand in it, once, with their counts', async () => {
  await world.send([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
  expect(await world.reasons()).toEqual(Array(3).fill('UNREGISTERED_DEVICE'));
  const where = '--tenant t1 --reason UNREGISTERED_DEVICE';
  const payload = JSON.stringify({ site_id: 's1', metrics: { temp: 23 } });
  await cli('quarantine mend 1 --by ann --payload', payload);
  await cli(`quarantine replay --id 1 --by ann`);
  await cli(`quarantine purge --dry-run ${where}`);
  await cli(`quarantine purge ${where}`);
  await cli(`quarantine purge ${where}`);
  await world.pool.query(
    `insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, event, attempts)
       select 't1', 7, 'gone', 'REFUSED', 'no', 'status', '{}', 1 from generate_series(1, 2_500)`,
  );
  await cli('dead-letters replay --tenant t1');
  await cli('dead-letters purge --route gone');
  const log = await entries();
  const replayId = (log[1]?.detail as { readonly replay_id?: number } | undefined)?.replay_id;
  expect(replayId).toBeNumber();
  const selection = { tenant_id: 't1', reason: 'UNREGISTERED_DEVICE' };
  expect(log).toEqual([
    entry(null, 'quarantine.mend', '1', { passes: false, reason: 'UNREGISTERED_DEVICE', by: 'ann' }),
    entry(null, 'quarantine.replay', 'quarantine', {
      selection: { ids: ['1'] },
      by: 'ann',
      replay_id: replayId,
      total: 1,
    }),
    entry('t1', 'quarantine.purge', 'quarantine', { selection, purged: 3 }),
    entry(null, 'dead-letters.purge', 'dead-letters', { selection: { route: 'gone' }, purged: 2_500 }),
  ]);
});

test('replaying dead letters stands in it with how many it were', async () => {
  await cli('tenant add replayed');
  await cli('route add replayed back --webhook https://hooks.example/b');
  await world.pool.query('delete from audit_log');
  await world.pool.query(
    `insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, event, attempts)
       select 'replayed', route_id, name, 'REFUSED', 'no', 'status', '{"device_id":"d","status":"offline"}', 1
       from routes, generate_series(1, 700) where name = 'back'`,
  );
  await cli('dead-letters replay --tenant replayed');
  expect(await entries()).toEqual([
    entry('replayed', 'dead-letters.replay', 'dead-letters', {
      selection: { tenant_id: 'replayed' },
      replayed: 700,
    }),
  ]);
});

test('clearing alarms stands in it, where there were any', async () => {
  await cli('alarms clear');
  expect(await entries()).toEqual([]);
  await world.pool.query(
    `insert into alarms (kind, subject, detail, count) values ('test', 'a test', 'rings', 1)`,
  );
  await cli('alarms clear');
  expect(await entries()).toEqual([entry(null, 'alarms.clear', 'alarms', { cleared: 1 })]);
});

test.each([
  'tenant add t1',
  'tenant limits nobody --rate 1',
  'device add nobody d1 --site s1',
  'device rotate t1 nothing',
  'device revoke t1 nothing',
  'device delete t1 nothing',
  'device delete t1 nothing --with-data',
  'device limits t1 nothing --rate 1',
  'key add nobody k',
  'key revoke t1 nothing',
  'operator-key revoke nobody',
  'route update t1 nothing --rate 1',
  'route remove t1 nothing',
  'route enable t1 nothing',
  'quarantine mend 999 --payload {}',
])('a change that is refused leaves nothing in it: %s', async (line) => {
  expect((await run(line)).code).not.toBe(0);
  expect(await entries()).toEqual([]);
});

test('what the audit log does not take is not changed', async () => {
  await world.pool.query(
    `alter table audit_log add constraint closed check (action <> 'tenant.create') not valid`,
  );
  try {
    expect((await run('tenant add unnoted')).code).toBe(1);
    expect(await world.rows(`select from tenants where tenant_id = 'unnoted'`)).toEqual([]);
  } finally {
    await world.pool.query('alter table audit_log drop constraint closed');
  }
});

test('looking at limits is no change', async () => {
  await cli('tenant limits t1');
  expect(await entries()).toEqual([]);
});

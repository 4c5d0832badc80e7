import { afterEach, beforeEach, expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';
import { ok, startReceiver, status } from '../../delivery/receiver.ts';
import { tempFolder } from '../../harness/temp-folder.ts';
import { until } from '../../harness/until.ts';
import { createRoutingWorld, type RoutingWorld } from '../../worker/routing/routing-world.ts';
import { hex } from '../../worker/settling.ts';
import { runInProcess } from '../in-process.ts';

let world: RoutingWorld;
beforeEach(async () => {
  world = await createRoutingWorld();
});
afterEach(() => world[Symbol.asyncDispose]());

const key = randomBytes(32).toString('base64');

function cli(args: readonly string[], stop?: AbortSignal) {
  const environment = {
    DATABASE_URL: world.databaseUrl,
    TRIBUTARY_SECRETS_KEY: key,
    TRIBUTARY_ALLOW_DESTINATIONS: '127.0.0.0/8',
  };
  return runInProcess(args, environment, stop === undefined ? {} : { stop });
}

async function json<T = Record<string, unknown>>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await cli([...args, '--json']);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as T;
}

interface TestResult {
  readonly looked_at: number;
  readonly matched: number;
  readonly condition_errors: number;
  readonly requests: {
    readonly job_ids: string[];
    readonly line: string;
    readonly headers: Record<string, string>;
    readonly body: string;
  }[];
  readonly sent: { readonly outcome: string } | null;
}

/** Stores messages 1 to `count`; every fifth has no temperature. */
async function store(count: number): Promise<void> {
  const { settling } = await world.start();
  await settling.run(
    Array.from({ length: count }, (_, index) => ({
      seq: index + 1,
      timeUs: Date.UTC(2026, 5, 1) * 1_000 + index,
      metrics: { n: index + 1, ...((index + 1) % 5 === 0 ? {} : { temp: index + 1 }) },
    })),
  );
}

const emptied = () => until(async () => (await world.outbox()) === 0, { what: 'the outbox is empty' });
const identities = async () => (await world.jobs()).map(({ identity }) => identity).toSorted();

test('test says what matches, shows what would be sent with a signature that verifies, and sends nothing', async () => {
  using receiver = startReceiver(ok);
  await store(20);
  const made = await json<{ signing_secret: string; route_id: number }>(
    ...['route', 'add', 'acme', 'hot', '--webhook', receiver.url, '-c', 'metrics.temp > 10.0'],
    ...['--header', 'X-From: here'],
  );
  const result = await json<TestResult>('route', 'test', 'acme', 'hot', '--show', '2', '-n', '15');
  // Of 6 to 20: 11 to 19 without 15; 10, 15 and 20 have no temperature.
  expect(result).toMatchObject({ looked_at: 15, matched: 8, condition_errors: 3, sent: null });
  const [newest] = result.requests;
  expect(result.requests).toHaveLength(2);
  expect(newest?.line).toBe(`POST ${receiver.url}`);
  expect(newest?.headers).toMatchObject({ 'X-From': 'here', 'content-type': 'application/json' });
  expect(newest?.headers['webhook-id']).toBe(`r1.${made.route_id}.${hex(19)}`);
  const payload = new Webhook(made.signing_secret).verify(newest?.body ?? '', newest?.headers ?? {});
  expect(payload).toMatchObject({ type: 'tributary.message', data: { metrics: { n: 19, temp: 19 } } });
  expect(receiver.received).toEqual([]);
  expect([await world.outbox(), await world.jobs()]).toEqual([0, []]);
});

test('send sends the newest once, exactly as it was shown but for the time; a refusal is said', async () => {
  const answers = { ok: true };
  using receiver = startReceiver(() => (answers.ok ? ok() : status(400)));
  await store(3);
  await json('route', 'add', 'acme', 'all', '--webhook', receiver.url);
  const { requests, sent } = await json<TestResult>('route', 'test', 'acme', 'all', '--send');
  expect(sent?.outcome).toBe('delivered');
  expect(receiver.received).toHaveLength(1);
  expect(receiver.received[0]?.text).toBe(requests[0]?.body as string);
  expect(receiver.received[0]?.id).toBe(requests[0]?.headers['webhook-id'] as string);
  answers.ok = false;
  const refused = await cli(['route', 'test', 'acme', 'all', '--send']);
  expect(refused.code).toBe(1);
  expect(refused.stdout).toContain('a dead letter REFUSED: answered 400');
  const inside = await cli(['route', 'test', 'acme', 'all', '--webhook', 'http://10.0.0.1/', '--send']);
  expect(inside.stdout).toContain(
    'a dead letter ADDRESS_REFUSED: 10.0.0.1 is private. TRIBUTARY_ALLOW_DESTINATIONS allows ranges',
  );
});

test('options change the route for the test alone; without a name they make one up', async () => {
  await store(10);
  await json('route', 'add', 'acme', 'copy', '--nats', 'out.acme.{device_id}', '--disabled');
  const changed = await cli(['route', 'test', 'acme', 'copy', '-c', 'metrics.n > 8']);
  expect(changed.stdout).toContain('Of the last 10 messages 2 match.\nThe route is off');
  expect(changed.stdout).toContain('  PUB out.acme.');
  expect(await json<TestResult>('route', 'test', 'acme', 'copy')).toMatchObject({ matched: 10 });
  const unnamed = await json<TestResult>('route', 'test', 'acme', '--mqtt', 'tenant/acme/out/{msg_type}');
  expect(unnamed.requests[0]?.line).toBe('PUBLISH at QoS 1 to tenant/acme/out/telemetry');
  expect((await cli(['route', 'test', 'acme', '--nats', 'telemetry.acme'])).code).toBe(2);
});

test('headers that are secret are not shown', async () => {
  using folder = tempFolder('headers');
  await store(1);
  const headers = join(folder.path, 'headers');
  writeFileSync(headers, 'Authorization: Bearer 1234567');
  await json('route', 'add', 'acme', 'x', '--webhook', 'https://a.example', '--secret-headers', headers);
  const { stdout } = await cli(['route', 'test', 'acme', 'x']);
  expect(stdout).toContain('Authorization: ***');
  expect(stdout).not.toContain('1234567');
});

test('a backfill queues what matches of the time before the route, once, and leaves what it has had', async () => {
  await store(20);
  const { route_id } = await json(
    'route',
    'add',
    'acme',
    'copy',
    '--nats',
    'out.acme.x',
    '-c',
    'metrics.temp > 10',
  );
  const { settling } = await world.start();
  await settling.run([{ seq: 21, timeUs: Date.UTC(2026, 5, 1) * 1_000 + 21, metrics: { temp: 21 } }]);
  // Messages of the test arrived in June; the route is to lie between them and the last one.
  await world.pool.query(`update routes set created_at = '2026-07-01'`);
  await world.pool.query(`update telemetry set arrived_at = '2026-08-01' where stream_seq = 21`);
  const since = ['--since', '2026-05-01', '--rate', '10000'];
  expect(await json('route', 'backfill', 'acme', 'copy', ...since)).toEqual({
    tenant_id: 'acme',
    name: 'copy',
    done: true,
    looked_at: 20,
    queued: 8,
    condition_errors: 4,
  });
  await emptied();
  const wanted = [11, 12, 13, 14, 16, 17, 18, 19, 21].map(hex);
  expect(await identities()).toEqual(wanted);
  // Again, at once: the same messages go out once more, though JetStream knows them.
  await json('route', 'backfill', 'acme', 'copy', ...since, '--until', '2026-06-01T00:00:00.001Z');
  await emptied();
  expect(await identities()).toEqual([...wanted, ...wanted].toSorted());
  expect((await json('route', 'show', 'acme', 'copy')).matched).toBe(18);
  expect(route_id).toBeGreaterThan(0);
});

test('broken off it goes on where it was, at the rate that was asked for; cancelled it is forgotten', async () => {
  await store(60);
  await json('route', 'add', 'acme', 'copy', '--nats', 'out.acme.x');
  await world.pool.query(`update routes set created_at = '2026-07-01'`);
  const stop = new AbortController();
  const running = cli(
    ['route', 'backfill', 'acme', 'copy', '--since', '2026-05-01', '--rate', '20'],
    stop.signal,
  );
  const queued = async () =>
    (await world.rows<{ n: number }>('select coalesce(sum(queued), 0)::int as n from route_backfills'))[0]
      ?.n ?? 0;
  await until(async () => (await queued()) > 0, { what: 'some are queued' });
  // A second's worth, and then it waits.
  expect(await queued()).toBeLessThanOrEqual(40);
  stop.abort();
  const broken = await running;
  expect([broken.code, broken.stderr]).toEqual([
    1,
    expect.stringContaining('tributary route backfill acme copy goes on from there'),
  ]);
  const again = await cli(['route', 'backfill', 'acme', 'copy', '--since', '2026-05-01']);
  expect(again.stderr).toContain('has an unfinished backfill from 2026-05-01');
  const rest = await json('route', 'backfill', 'acme', 'copy', '--rate', '10000');
  expect(rest).toMatchObject({ done: true, looked_at: 60, queued: 60 });
  await emptied();
  expect(await identities()).toEqual(Array.from({ length: 60 }, (_, index) => hex(index + 1)));
  expect((await cli(['route', 'backfill', 'acme', 'copy'])).stderr).toContain('no unfinished backfill');
  expect((await cli(['route', 'backfill', 'acme', 'copy', '--cancel'])).code).toBe(1);
});

test('of two commands that go on with one backfill, one gives way, and nothing is queued twice', async () => {
  await store(60);
  await json('route', 'add', 'acme', 'copy', '--nats', 'out.acme.x');
  await world.pool.query(`update routes set created_at = '2026-07-01'`);
  const first = cli(['route', 'backfill', 'acme', 'copy', '--since', '2026-05-01', '--rate', '20']);
  const moved = async () => (await world.rows('select from route_backfills where queued > 0')).length === 1;
  await until(moved, { what: 'the first has begun' });
  const second = await json('route', 'backfill', 'acme', 'copy', '--rate', '20');
  expect(second).toMatchObject({ done: true, queued: 60 });
  expect(await first).toMatchObject({ code: 1, stderr: expect.stringContaining('by another command') });
  await emptied();
  expect(await identities()).toEqual(Array.from({ length: 60 }, (_, index) => hex(index + 1)));
});

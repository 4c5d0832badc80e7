import { expect, test } from 'bun:test';
import { Registry } from 'prom-client';
import { createPublisherMetrics } from '../../src/observe/publisher.ts';
import { requestApi } from '../../src/stream/jetstream-api.ts';
import { streamInfo } from '../../src/stream/stream-info.ts';
import { streamName } from '../../src/stream/subjects.ts';
import { until } from '../harness/until.ts';
import { bytes, freeze, startTestStream, storedMessages, testPublisher } from './stream-fixture.ts';

/** What was published in this turn has been written after it. */
const turnOfEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

test('an acknowledged message is in the stream, under its id and with its bytes', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, n) => publisher.publish('telemetry.t1', bytes(`{"n":${n}}`), `f1.${n}`)),
  );
  expect(results).toEqual(Array.from({ length: 50 }, (_, n) => ({ ok: true, seq: n + 1, duplicate: false })));
  const stored = await storedMessages(stream.nc);
  expect(stored.map(({ msgId, text }) => [msgId, text])).toEqual(
    Array.from({ length: 50 }, (_, n) => [`f1.${n}`, `{"n":${n}}`]),
  );
  await publisher.drain();
});

test('an id that JetStream knows is a duplicate of the stored sequence', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  expect(await publisher.publish('telemetry.t1', bytes('1'), 'a')).toEqual({
    ok: true,
    seq: 1,
    duplicate: false,
  });
  expect(await publisher.publish('telemetry.t1', bytes('1'), 'a')).toEqual({
    ok: true,
    seq: 1,
    duplicate: true,
  });
  await publisher.drain();
});

test('a full tenant is refused by itself, a full stream for all, and nothing of either is stored', async () => {
  await using stream = await startTestStream({ streamMaxPerTenant: 3, streamMaxBytes: 20_000 });
  const publisher = testPublisher(stream.nc);
  const outcome = async (tenant: string, id: string, size = 10) => {
    const result = await publisher.publish(`telemetry.${tenant}`, bytes('x'.repeat(size)), id);
    return result.ok ? 'stored' : `${result.why} known=${result.known}`;
  };
  for (const id of ['a', 'b', 'c']) expect(await outcome('t1', id)).toBe('stored');
  expect(await outcome('t1', 'd')).toBe('tenant_full known=true');
  expect(await outcome('t2', 'e')).toBe('stored');
  let last = 'stored';
  for (let n = 0; last === 'stored'; n++) last = await outcome(`u${n}`, `u${n}`, 3_000);
  expect(last).toBe('stream_full known=true');
  expect((await storedMessages(stream.nc)).map(({ msgId }) => msgId)).not.toContain('d');
  await publisher.drain();
});

test('what the server or the stream finds too large is known not to be stored', async () => {
  await using stream = await startTestStream({}, { maxPayloadBytes: 4_096 });
  const publisher = testPublisher(stream.nc);
  expect(await publisher.publish('telemetry.t1', bytes('x'.repeat(5_000)), 'a')).toMatchObject({
    ok: false,
    why: 'too_large',
    known: true,
  });
  const { config } = await streamInfo(stream.nc, streamName);
  await requestApi(stream.nc, `STREAM.UPDATE.${streamName}`, { ...config, max_msg_size: 1_000 });
  expect(await publisher.publish('telemetry.t1', bytes('x'.repeat(2_000)), 'b')).toMatchObject({
    ok: false,
    why: 'too_large',
    known: true,
  });
  await publisher.drain();
});

test('without a stream it tries until the deadline and then says so; one that appears meanwhile is found', async () => {
  await using stream = await startTestStream();
  await requestApi(stream.nc, `STREAM.DELETE.${streamName}`);
  const publisher = testPublisher(stream.nc, { publishTimeoutMs: 300 });
  expect(await publisher.publish('telemetry.t1', bytes('1'), 'a')).toMatchObject({
    ok: false,
    why: 'no_stream',
    known: true,
  });
  const patient = testPublisher(stream.nc);
  const waiting = patient.publish('telemetry.t1', bytes('1'), 'b');
  await turnOfEventLoop();
  // The server has answered everything before the ping: that nobody listens, too.
  await stream.nc.flush();
  await requestApi(stream.nc, `STREAM.CREATE.${streamName}`, { name: streamName, subjects: ['telemetry.>'] });
  expect(await waiting).toMatchObject({ ok: true, seq: 1 });
  await Promise.all([publisher.drain(), patient.drain()]);
});

test('an answer from anybody but the wanted stream is no PubAck', async () => {
  await using stream = await startTestStream();
  await requestApi(stream.nc, `STREAM.DELETE.${streamName}`);
  stream.nc.subscribe('telemetry.liar', { callback: (_, request) => void request.respond('{"ok":true}') });
  await requestApi(stream.nc, 'STREAM.CREATE.OTHER', { name: 'OTHER', subjects: ['telemetry.other'] });
  const publisher = testPublisher(stream.nc, { publishTimeoutMs: 300 });
  expect(await publisher.publish('telemetry.liar', bytes('1'), 'a')).toMatchObject({
    ok: false,
    why: 'timeout',
    known: false,
  });
  expect(await publisher.publish('telemetry.other', bytes('1'), 'b')).toMatchObject({
    ok: false,
    why: 'refused',
  });
  await publisher.drain();
});

test('a message id that could smuggle a header is refused', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  const smuggled = 'a\r\nX-Smuggled: yes';
  expect(await publisher.publish('telemetry.t1', bytes('1'), smuggled)).toMatchObject({
    why: 'refused',
    known: true,
  });
  expect(await storedMessages(stream.nc)).toEqual([]);
  await publisher.drain();
});

test('beyond the bound of messages or of bytes a publish is refused, and taken again once there is room', async () => {
  await using stream = await startTestStream();
  const few = testPublisher(stream.nc, { maxInFlight: 10 });
  const small = testPublisher(stream.nc, { maxInFlightBytes: 1_000 });
  const whys = async (publisher: typeof few, prefix: string, size: number) => {
    const results = await Promise.all(
      Array.from({ length: 15 }, (_, n) =>
        publisher.publish('telemetry.t1', bytes('x'.repeat(size)), `${prefix}${n}`),
      ),
    );
    return results.map((result) => (result.ok ? 'ok' : `${result.why} known=${result.known}`));
  };
  const refused = 'overloaded known=true';
  expect(await whys(few, 'a', 10)).toEqual([...Array(10).fill('ok'), ...Array(5).fill(refused)]);
  expect(await whys(small, 'b', 200)).toEqual([...Array(4).fill('ok'), ...Array(11).fill(refused)]);
  expect(few.inFlight + small.inFlight).toBe(0);
  expect(await few.publish('telemetry.t1', bytes('1'), 'again')).toMatchObject({ ok: true });
  expect(await storedMessages(stream.nc)).toHaveLength(15);
  await Promise.all([few.drain(), small.drain()]);
});

test('a server that hangs gives unknown outcomes at the deadline, and what it does not read goes on counting', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc, { publishTimeoutMs: 300, maxInFlight: 20 });
  const pid = stream.nats.pid();
  await freeze(pid);
  const ids = Array.from({ length: 20 }, (_, n) => `a${n}`);
  const results = await Promise.all(ids.map((id) => publisher.publish('telemetry.t1', bytes('1'), id)));
  for (const result of results) expect(result).toEqual({ ok: false, why: 'timeout', known: false });
  expect(publisher.inFlight).toBe(0);
  expect(await publisher.publish('telemetry.t1', bytes('1'), 'b')).toMatchObject({ why: 'overloaded' });
  process.kill(pid, 'SIGCONT');
  await until(async () => (await publisher.publish('telemetry.t1', bytes('1'), 'c')).ok, {
    what: 'published after the pause',
  });
  // Unknown, and in this case stored: each exactly once.
  const stored = (await storedMessages(stream.nc)).map(({ msgId }) => msgId);
  expect(stored.toSorted()).toEqual([...ids, 'c'].toSorted());
  await publisher.drain();
});

test('through kills of the server every acknowledged message is in the stream exactly once', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc, { publishTimeoutMs: 20_000, maxInFlight: 500 });
  const acked = new Map<string, number>();
  const unknown = new Set<string>();
  const refused = new Set<string>();
  let next = 0;
  let stop = false;
  const client = async () => {
    while (!stop) {
      const id = `m${next++}`;
      const result = await publisher.publish('telemetry.t1', bytes(id), id);
      if (result.ok) acked.set(id, result.seq);
      else (result.known ? refused : unknown).add(id);
      // A refused client pauses; without this the loop would never yield.
      if (!result.ok) await Bun.sleep(5);
    }
  };
  const clients = Array.from({ length: 200 }, client);
  for (let round = 1; round <= 3; round++) {
    const target = acked.size + 500;
    await until(() => acked.size >= target, { what: `500 more acknowledged, round ${round}` });
    expect(publisher.inFlight).toBeGreaterThan(0);
    await stream.nats.kill();
    await stream.nats.start();
  }
  const target = acked.size + 500;
  await until(() => acked.size >= target, { what: '500 more after the last kill' });
  stop = true;
  await Promise.all(clients);
  await publisher.drain();

  const stored = await storedMessages(stream.nc);
  const seqOf = new Map(stored.map(({ msgId, seq }) => [msgId, seq]));
  expect(seqOf.size).toBe(stored.length);
  for (const message of stored) expect(message.text).toBe(message.msgId);
  const missing = [...acked].filter(([id, seq]) => seqOf.get(id) !== seq);
  expect(missing).toEqual([]);
  const known = [...refused].filter((id) => seqOf.has(id));
  expect(known).toEqual([]);
  expect(acked.size + refused.size + unknown.size).toBe(next);
}, 60_000);

test('while NATS is away nothing waits for long: what was never sent is known, what was sent is not', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc, { publishTimeoutMs: 1_500 });
  const patient = testPublisher(stream.nc, { publishTimeoutMs: 60_000 });
  await freeze(stream.nats.pid());
  const sent = publisher.publish('telemetry.t1', bytes('1'), 'sent');
  await turnOfEventLoop();
  await stream.nats.kill();
  await until(() => publisher.disconnectedForMs > 0, { what: 'the outage is noticed' });
  // With a minute to its deadline it is the outage that decides.
  const unsent = patient.publish('telemetry.t1', bytes('1'), 'unsent');
  expect(await unsent).toEqual({ ok: false, why: 'disconnected', known: true });
  expect(await sent).toEqual({ ok: false, why: 'disconnected', known: false });
  // By now the outage is long enough to answer at once.
  const atOnce = publisher.publish('telemetry.t1', bytes('1'), 'late');
  expect(publisher.inFlight).toBe(0);
  expect(await atOnce).toEqual({ ok: false, why: 'disconnected', known: true });
  await stream.nats.start();
  await until(async () => (await publisher.publish('telemetry.t1', bytes('1'), 'back')).ok, {
    what: 'published after the outage',
  });
  await Promise.all([publisher.drain(), patient.drain()]);
});

test('what came during a short outage is sent at the reconnect', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  await stream.nats.stop();
  await until(() => publisher.disconnectedForMs > 0, { what: 'the outage is noticed' });
  const waiting = ['a', 'b', 'c'].map((id) => publisher.publish('telemetry.t1', bytes(id), id));
  await stream.nats.start();
  const results = await Promise.all(waiting);
  const known = results.filter((result) => !result.ok && result.known);
  const stored = (await storedMessages(stream.nc)).map(({ msgId }) => msgId);
  // A slow start of the server may exceed the grace; then all of them say that nothing was stored.
  expect(stored.length + known.length).toBe(3);
  await publisher.drain();
});

test('drain waits for what is under way and takes nothing more; a closed connection leaves outcomes unknown', async () => {
  await using stream = await startTestStream();
  const publisher = testPublisher(stream.nc);
  const under = Array.from({ length: 100 }, (_, n) => publisher.publish('telemetry.t1', bytes('1'), `d${n}`));
  const drained = publisher.drain();
  expect(await publisher.publish('telemetry.t1', bytes('1'), 'x')).toMatchObject({ ok: false, known: true });
  await drained;
  expect((await Promise.all(under)).every((result) => result.ok)).toBe(true);

  const other = testPublisher(stream.nc);
  await freeze(stream.nats.pid());
  const open = other.publish('telemetry.t1', bytes('1'), 'open');
  await turnOfEventLoop();
  const closed = stream.nc.close();
  expect(await open).toEqual({ ok: false, why: 'disconnected', known: false });
  process.kill(stream.nats.pid(), 'SIGCONT');
  await closed;
  await other.drain();
});

test('the metrics count every outcome', async () => {
  await using stream = await startTestStream({ streamMaxPerTenant: 1 });
  const registry = new Registry();
  const publisher = testPublisher(stream.nc, { metrics: createPublisherMetrics(registry) });
  await publisher.publish('telemetry.t1', bytes('1'), 'a');
  await publisher.publish('telemetry.t1', bytes('1'), 'a');
  await publisher.publish('telemetry.t1', bytes('1'), 'b');
  const text = await registry.metrics();
  for (const outcome of ['stored', 'duplicate', 'tenant_full']) {
    expect(text).toContain(`tributary_publisher_publishes_total{outcome="${outcome}"} 1`);
  }
  expect(text).toContain('tributary_publisher_in_flight_messages 0');
  await publisher.drain();
});

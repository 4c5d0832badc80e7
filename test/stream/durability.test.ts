import { expect, test } from 'bun:test';
import { findFreePort } from '../../src/roles/up/ports.ts';
import { classOf, describeDurability, readDurability, syncOf } from '../../src/stream/durability.ts';
import { streamName } from '../../src/stream/subjects.ts';
import { startTestStream } from './stream-fixture.ts';

test('one server that may sync later is process-crash-safe only, and so is one of which nothing is known', () => {
  const version = '2.12.0';
  expect([
    classOf('later', 1, version),
    classOf('unknown', 1, version),
    classOf('unknown', 2, version),
  ]).toEqual(Array(3).fill('process-crash-safe'));
  expect([classOf('always', 1, version), classOf('later', 3, version)]).toEqual([
    'power-loss-safe',
    'replicated',
  ]);
});

test('replicas of servers whose replicas drift apart, or of an unknown version, count as one', () => {
  const versions = ['2.9.10', '2.9.25', 'unknown', '2.10.0', '2.10.27', '2.15.1', '3.0.0'];
  expect(versions.map((version) => classOf('later', 3, version))).toEqual([
    ...Array(3).fill('process-crash-safe'),
    ...Array(4).fill('replicated'),
  ]);
});

test('the monitoring address tells how the server syncs', () => {
  const varz = (config: object) => ({ jetstream: { config: { max_storage: 1, ...config } } });
  expect(syncOf(varz({ sync_interval: 120_000_000_000, sync_always: true }))).toBe('always');
  // 2.10 and newer, as they come: false is left out, and the interval alone says nothing of the ack.
  expect(syncOf(varz({ sync_interval: 120_000_000_000, compress_ok: true }))).toBe('later');
  expect(syncOf(varz({ sync_interval: 1 }))).toBe('later');
  expect(syncOf(varz({}))).toBe('later');
  expect([syncOf({}), syncOf('no JSON of ours')]).toEqual(['unknown', 'unknown']);
});

test('read from a real server, with and without its monitoring address', async () => {
  const monitorPort = await findFreePort({ random: Math.random });
  await using stream = await startTestStream({}, { monitorPort });
  const blind = await readDurability(stream.nc, streamName, undefined);
  expect(blind).toMatchObject({ class: 'process-crash-safe', sync: 'unknown', replicas: 1 });
  const seen = await readDurability(stream.nc, streamName, `http://127.0.0.1:${monitorPort}`);
  expect(seen).toMatchObject({ class: 'process-crash-safe', sync: 'later' });
  expect(seen && describeDurability(seen)).toMatch(
    /^process-crash-safe \(sync later, 1 replica, nats-server \d/,
  );
  expect(await readDurability(stream.nc, streamName, 'http://127.0.0.1:1')).toEqual(blind);
});

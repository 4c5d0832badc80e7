import { expect, test } from 'bun:test';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { streamName } from '../../src/stream/subjects.ts';
import { type AuditedStream, startAuditedStream } from './audited-stream.ts';

async function settleNext(stream: AuditedStream, count: number): Promise<void> {
  const messages = await stream.pull(count);
  await stream.settle(messages);
  for (const message of messages) message.ack();
  await stream.nc.flush();
}

/** Stops the server, puts an earlier copy of its files in their place, starts it again. */
async function restore(stream: AuditedStream, copy: string): Promise<void> {
  await stream.nats.stop();
  const store = join(stream.nats.storeDir, 'jetstream');
  rmSync(store, { recursive: true });
  cpSync(copy, store, { recursive: true });
  await stream.nats.start();
  await stream.answersAgain();
}

async function copyStore(stream: AuditedStream): Promise<string> {
  const copy = join(stream.nats.storeDir, 'copy');
  await stream.nats.stop();
  cpSync(join(stream.nats.storeDir, 'jetstream'), copy, { recursive: true });
  await stream.nats.start();
  await stream.answersAgain();
  return copy;
}

test('a stream that is deleted and made anew: no new message is taken for an old one, and the old account stays', async () => {
  await using stream = await startAuditedStream();
  await stream.publish(10);
  await settleNext(stream, 6);
  await stream.audit();
  await stream.recreate();
  await stream.publish(8);
  await settleNext(stream, 8);
  const { epochs, total } = await stream.audit();
  expect(
    epochs.map(({ live, accepted, stored, unaccounted }) => [live, accepted, stored, unaccounted]),
  ).toEqual([
    [false, 10n, 6n, 4n],
    [true, 8n, 8n, 0n],
  ]);
  expect(total).toMatchObject({ accepted: 18n, stored: 14n, inFlight: 0n, unaccounted: 4n });
});

for (const isAudited of [true, false]) {
  const when = isAudited ? 'the audit notices first' : 'a worker notices first';
  test(`a stream restored from an older copy, ${when}: new messages under old numbers are new, old ones are known`, async () => {
    await using stream = await startAuditedStream();
    await stream.publish(20);
    await settleNext(stream, 10);
    // In the copy: 11 to 20, none of them acknowledged.
    const copy = await copyStore(stream);
    await settleNext(stream, 8);
    await stream.publish(10);
    await settleNext(stream, 9);
    await stream.audit();
    await stream.restoreFrom(() => restore(stream, copy));
    if (isAudited) await stream.audit();
    await stream.publish(15);
    // First 11 to 20 again, which had their outcome; then 15 new ones under the numbers 21 to 35.
    await settleNext(stream, 25);
    const { epochs, total } = await stream.audit();
    // Of the first epoch's 30 accepted, 28 to 30 went with the files: all but these have one outcome each.
    expect(epochs.map(({ accepted, stored, unaccounted }) => [accepted, stored, unaccounted])).toEqual([
      [30n, 27n, 3n],
      [15n, 15n, 0n],
    ]);
    expect(total).toMatchObject({ accepted: 45n, stored: 42n, inFlight: 0n, unaccounted: 3n });
    const claims = await stream.pool.query<{ n: number }>('select count(*)::int as n from claims');
    expect(claims.rows[0]?.n).toBe(42);
  });
}

test('restored by JetStream’s own snapshot after the claims were compacted: the same', async () => {
  await using stream = await startAuditedStream();
  await stream.publish(20);
  await settleNext(stream, 10);
  const snapshot = await stream.snapshot();
  await settleNext(stream, 10);
  await stream.publish(10);
  await settleNext(stream, 10);
  await stream.compact();
  expect(await stream.pool.query('select from claims')).toMatchObject({ rowCount: 0 });
  await stream.restoreFrom(() => snapshot.restore());
  await stream.publish(15);
  await settleNext(stream, 25);
  const { epochs, total } = await stream.audit();
  expect(epochs.map(({ baseSeq, accepted, stored }) => [baseSeq, accepted, stored])).toEqual([
    [0n, 30n, 30n],
    [20n, 15n, 15n],
  ]);
  expect(total).toMatchObject({ unaccounted: 0n, inFlight: 0n });
});

test(`the power takes the end of the stream: what was accepted and is gone shows`, async () => {
  await using stream = await startAuditedStream();
  await stream.publish(10);
  const copy = await copyStore(stream);
  await stream.publish(5);
  await stream.audit();
  await stream.restoreFrom(() => restore(stream, copy));
  expect((await stream.audit()).total).toMatchObject({ accepted: 15n, inFlight: 10n, unaccounted: 5n });
  expect(await stream.api(`STREAM.INFO.${streamName}`)).toMatchObject({ state: { last_seq: 10 } });
  await stream.publish(7);
  await settleNext(stream, 17);
  expect((await stream.audit()).total).toMatchObject({ accepted: 22n, stored: 17n, unaccounted: 5n });
});

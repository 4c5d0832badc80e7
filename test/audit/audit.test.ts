import { expect, test } from 'bun:test';
import { openIncidents } from '../../src/audit/take-audit.ts';
import { streamName } from '../../src/stream/subjects.ts';
import { startAuditedStream } from './audited-stream.ts';

test('what is on its way is in flight, from the publish to the claim', async () => {
  await using stream = await startAuditedStream();
  expect((await stream.audit()).total).toMatchObject({ accepted: 0n, inFlight: 0n, unaccounted: 0n });
  await stream.publish(10);
  const messages = await stream.pull(10);
  expect((await stream.audit()).total).toMatchObject({ accepted: 10n, stored: 0n, inFlight: 10n });
  // Out of order, and one of them not acked yet: it is claimed, and so it has its outcome.
  const settled = messages.filter((_, index) => [1, 4, 9].includes(index));
  await stream.settle(settled);
  settled[1]?.ack();
  settled[2]?.ack();
  await stream.nc.flush();
  const { total, epochs } = await stream.audit();
  expect(total).toMatchObject({ accepted: 10n, stored: 3n, inFlight: 7n, unaccounted: 0n });
  expect(epochs).toHaveLength(1);
  expect(openIncidents({ epochs })).toEqual([]);
});

test('a message that is deleted from the stream behind our back shows as 1', async () => {
  await using stream = await startAuditedStream();
  await stream.publish(10);
  expect(await stream.api(`STREAM.MSG.DELETE.${streamName}`, { seq: 6 })).toMatchObject({ success: true });
  const { total, epochs } = await stream.audit();
  expect(total).toMatchObject({ accepted: 10n, inFlight: 9n, unaccounted: 1n });
  expect(epochs[0]?.unaccountedSequences).toBe('{[6,7)}');
  expect(openIncidents({ epochs })).toHaveLength(1);
  const messages = await stream.pull(9);
  await stream.settle(messages);
  for (const message of messages) message.ack();
  await stream.nc.flush();
  expect((await stream.audit()).total).toMatchObject({ stored: 9n, inFlight: 0n, unaccounted: 1n });
});

test('a purge shows all that it took, and not what had its outcome', async () => {
  await using stream = await startAuditedStream();
  await stream.publish(10);
  await stream.settle((await stream.pull(10)).slice(0, 3));
  await stream.api(`STREAM.PURGE.${streamName}`);
  expect((await stream.audit()).total).toMatchObject({ stored: 3n, inFlight: 0n, unaccounted: 7n });
});

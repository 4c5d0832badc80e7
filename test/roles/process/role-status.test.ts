import { expect, test } from 'bun:test';
import { connect } from '@nats-io/transport-node';
import { createRoleId, serveRoleStatus } from '../../../src/roles/process/role-status.ts';
import { rolesStatusSubject } from '../../../src/stream/subjects.ts';
import { startTestNats } from '../../harness/nats.ts';

test('a role tells who it is on NATS until it drains', async () => {
  await using nats = await startTestNats();
  const nc = await connect({ servers: nats.url });
  let now = 1_000;
  const served = serveRoleStatus({
    nc,
    role: 'worker',
    id: 'worker-1-abc',
    now: () => now,
    more: () => ({ batches: 3 }),
  });
  now = 3_500.4;
  const answer = (await nc.request(rolesStatusSubject, '', { timeout: 2_000 })).json();
  expect(answer).toMatchObject({ role: 'worker', id: 'worker-1-abc', pid: process.pid, uptimeMs: 2_500 });
  expect(answer).toMatchObject({ rssBytes: expect.any(Number), cpuMs: expect.any(Number) });
  expect(answer).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+\.\d+/), batches: 3 });
  await served.drain();
  await expect(nc.request(rolesStatusSubject, '', { timeout: 2_000 })).rejects.toThrow(/no responders/i);
  await nc.close();
  await served.drain();
});

test('the ids of two roles differ even with the same pid', () => {
  expect(createRoleId('gateway', () => 0)).toBe(`gateway-${process.pid}-000000`);
  expect(createRoleId('gateway', () => 0.5)).not.toBe(createRoleId('gateway', () => 0.6));
});

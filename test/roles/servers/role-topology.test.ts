import { expect, test } from 'bun:test';
import type { NatsConnection } from '@nats-io/nats-core';
import pino from 'pino';
import { prepareTopology } from '../../../src/roles/servers/role-topology.ts';
import { testTopology } from '../../stream/stream-fixture.ts';

/** What is logged by a role that meets a server of this version, which answers nothing. */
async function logOf(version: string, streamReplicas: number): Promise<string> {
  const nc = { info: { version }, request: () => Promise.reject(new Error('no answer')) };
  const lines: string[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  await prepareTopology(nc as unknown as NatsConnection, { ...testTopology, streamReplicas }, log);
  return lines.join('');
}

test('replicas on servers too old to keep them the same are warned of, with the version that does', async () => {
  expect(await logOf('2.9.10', 3)).toContain('run 2.10.0 or newer in a cluster');
  for (const [version, replicas] of [
    ['2.9.10', 1],
    ['2.12.0', 3],
  ] as const)
    expect(await logOf(version, replicas)).not.toContain('cluster_too_old');
});

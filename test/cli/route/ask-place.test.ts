import { expect, test } from 'bun:test';
import { connect } from '@nats-io/transport-node';
import { askPlace } from '../../../src/cli/route/ask-place.ts';
import { parseConfig } from '../../../src/config/parse-config.ts';
import { serveRoleStatus } from '../../../src/roles/process/role-status.ts';
import { startTestNats } from '../../harness/nats.ts';

const destination = { kind: 'webhook', url: 'https://down.example/hook' } as const;
const route = { tenantId: 'acme', destination };
const down = (tenantId: string, place: string, failures: number, forMs: number) => ({
  tenantId,
  place,
  failures,
  forMs,
});

test('what the delivery processes leave alone is asked of all of them, for the tenant and the place of the route', async () => {
  await using nats = await startTestNats();
  const nc = await connect({ servers: nats.url });
  const config = parseConfig({ NATS_URL: nats.url });
  const ask = () => askPlace({ config }, route);
  const serve = (id: string, left: readonly unknown[]) =>
    serveRoleStatus({ nc, role: 'delivery', id, now: () => 0, more: () => ({ down: left }) });
  try {
    expect(await ask()).toEqual({ processes: 0, leftAloneBy: 0, failures: 0, triedInMs: 0 });
    serve('one', [
      down('acme', 'https://down.example', 7, 900),
      down('acme', 'https://other.example', 99, 1),
      down('other', 'https://down.example', 99, 1),
    ]);
    serve('two', [down('acme', 'https://down.example', 5, 300)]);
    serve('three', []);
    serveRoleStatus({ nc, role: 'worker', id: 'four', now: () => 0 });
    await nc.flush();
    expect(await ask()).toEqual({ processes: 3, leftAloneBy: 2, failures: 7, triedInMs: 300 });
  } finally {
    await nc.close();
  }
  await nats.stop();
  expect(await ask()).toBeUndefined();
});

import { expect, test } from 'bun:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { insertDevices, post } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

async function sh(command: string): Promise<string> {
  const child = Bun.spawn(['bash', '-c', command], { stdout: 'pipe', stderr: 'inherit' });
  const out = await new Response(child.stdout).text();
  expect(await child.exited).toBe(0);
  return out;
}

/** Every column of every table as text: where a token must not be. */
async function wholeDatabase(stack: Stack): Promise<string> {
  const { rows } = await stack.pool.query<{ name: string }>(
    `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
  );
  const dumps = await Promise.all(
    rows.map(({ name }) => stack.pool.query(`select t::text as row, '${name}' as name from ${name} t`)),
  );
  return dumps.flatMap((dump) => dump.rows.map((row) => `${row.name}: ${row.row}`)).join('\n');
}

test('the two lines of the brief are answered and end in quarantine, their tokens nowhere', async () => {
  await using stack = await startStack();
  const single = await sh(`curl -s -w ' %{http_code}' -X POST \
    -H "Content-Type: application/json" -H "X-Provision-Token: test-token" \
    "${stack.httpUrl}/ingest/v1/tenant/test-tenant/device/dev1/telemetry" \
    -d '{"site_id":"s1","metrics":{"temp":22}}'`);
  expect(single).toBe('{"status":"accepted"} 202');
  const batch = await sh(`curl -s -w ' %{http_code}' -X POST -H "Content-Type: application/json" \
    "${stack.httpUrl}/ingest/v1/batch" \
    -d '{"messages":[{"tenant_id":"t1","device_id":"d1","msg_type":"telemetry","provision_token":"tok","site_id":"s1","metrics":{"temp":22}}]}'`);
  expect(batch).toBe('{"accepted":1,"rejected":0,"results":[{"index":0,"status":"accepted"}]} 200');

  const rows = await until(
    async () => {
      const result = await stack.pool.query(
        `select tenant_id, device_id, msg_type, reason, convert_from(envelope, 'UTF8') as envelope,
                encode(token_sha256, 'hex') as token_sha256 from quarantine order by quarantine_id`,
      );
      return result.rows.length === 2 && result.rows;
    },
    { what: 'both messages are in quarantine' },
  );
  expect(rows.map(({ tenant_id, device_id, reason }) => [tenant_id, device_id, reason]).sort()).toEqual([
    ['t1', 'd1', 'UNREGISTERED_DEVICE'],
    ['test-tenant', 'dev1', 'UNREGISTERED_DEVICE'],
  ]);
  // Two batches may be settled in either order.
  const [ofSingle] = rows.filter(({ tenant_id }) => tenant_id === 'test-tenant');
  expect(ofSingle.token_sha256).toBe(new Bun.CryptoHasher('sha256').update('test-token').digest('hex'));
  expect(JSON.parse(ofSingle.envelope).payload).toEqual({ site_id: 's1', metrics: { temp: 22 } });

  const everything = (await wholeDatabase(stack)) + stack.roles.map((role) => role.log()).join('\n');
  expect(everything).toContain('test-tenant');
  // `tok` is a part of ordinary words; as a JSON value or a hex dump it must not appear.
  for (const token of [
    'test-token',
    '"tok"',
    Buffer.from('"tok"').toString('hex'),
    Buffer.from('test-token').toString('hex'),
  ]) {
    expect(everything).not.toContain(token);
  }
});

test('a registered device’s message is a row, its sensors are known, and the consumer has nothing left', async () => {
  await using stack = await startStack();
  const device = { tenantId: 'acme', deviceId: 'AA:BB:01', siteId: 's1', token: 'correct horse' };
  await insertDevices(stack.pool, [device]);
  const sent = await post(stack.httpUrl, device, {
    site_id: 's1',
    seq: 7,
    metrics: { temp_c: 21.5, door: true },
    fw: '1.2',
  });
  expect(sent.status).toBe(202);
  const row = await until(
    async () => (await stack.pool.query('select *, metrics::text, extra::text from telemetry')).rows[0],
    { what: 'the reading is a row' },
  );
  expect(row).toMatchObject({
    tenant_id: 'acme',
    device_id: 'AA:BB:01',
    site_id: 's1',
    msg_type: 'telemetry',
  });
  expect([row.metrics, row.extra]).toEqual(['{"door": true, "temp_c": 21.5}', '{"fw": "1.2"}']);
  expect(await stack.cliJson('sensors', '--tenant', 'acme')).toHaveLength(2);
  expect(await stack.cliJson('telemetry', '--tenant', 'acme')).toHaveLength(1);

  const nc = await connect({ servers: stack.nats.url });
  const manager = await jetstreamManager(nc);
  const { state } = await manager.streams.info('TELEMETRY');
  const info = await until(
    async () => {
      const now = await manager.consumers.info('TELEMETRY', 'ingest-workers');
      return now.num_ack_pending === 0 && now;
    },
    { what: 'nothing waits for an ack' },
  );
  expect([info.num_pending, info.ack_floor.stream_seq]).toEqual([0, state.last_seq]);
  await nc.close();
});

import { afterAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectNats, type NatsSecurity } from '../../src/stream/connection.ts';
import { makeCertificates } from '../harness/certificates.ts';
import { startTestNats } from '../harness/nats.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { startRole } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';
import { silent } from '../stream/stream-fixture.ts';

const certificates = makeCertificates();
afterAll(() => certificates[Symbol.dispose]());
const pem = (file: string) => readFileSync(file, 'utf8');

/** A server that asks every client for a certificate of ours. */
function startMutualNats() {
  const { server, ca, folder } = certificates;
  const include = join(folder, 'tls.conf');
  writeFileSync(
    include,
    `tls { cert_file: "${server.cert}", key_file: "${server.key}", ca_file: "${ca}", verify: true }\n`,
  );
  return startTestNats({ include: [include] });
}

test('connections are mutual TLS where the server asks for it; a stranger gets none', async () => {
  await using nats = await startMutualNats();
  const connect = (security: NatsSecurity) =>
    connectNats({ url: nats.url, name: 'x', log: silent, security });
  const ours = {
    ca: pem(certificates.ca),
    cert: pem(certificates.client.cert),
    key: pem(certificates.client.key),
  };
  const nc = await connect(ours);
  await nc.flush();
  await nc.close();
  const { stranger } = certificates;
  await expect(connect({ ...ours, cert: pem(stranger.cert), key: pem(stranger.key) })).rejects.toThrow(
    'Cannot reach NATS',
  );
  await expect(connect({ ca: ours.ca })).rejects.toThrow('Cannot reach NATS');
  await expect(connect({ ...ours, ca: pem(stranger.ca) })).rejects.toThrow('Cannot reach NATS');
});

test('a reading goes from door to row with mutual TLS to NATS, and comes back after an outage', async () => {
  await using nats = await startMutualNats();
  await using database = await createTestDatabase();
  const env = {
    NATS_URL: nats.url,
    DATABASE_URL: database.url,
    TRIBUTARY_HTTP_PORT: '0',
    TRIBUTARY_NATS_CA: certificates.ca,
    TRIBUTARY_NATS_CERT: certificates.client.cert,
    TRIBUTARY_NATS_KEY: certificates.client.key,
  };
  await using roles = new AsyncDisposableStack();
  const start = async (name: 'gateway' | 'worker') => {
    const role = await startRole(name, env);
    roles.defer(async () => void (await role.stop()));
    return role;
  };
  const gateway = await start('gateway');
  await start('worker');
  const send = () =>
    fetch(`http://127.0.0.1:${gateway.port}/ingest/v1/tenant/t1/device/d1/telemetry`, {
      method: 'POST',
      headers: { 'X-Provision-Token': 'wrong' },
      body: '{"site_id":"s1","metrics":{"temp":22}}',
    });
  const quarantined = async (count: number) => {
    const { rows } = await database.pool.query<{ count: number }>(
      'select count(*)::int as count from quarantine',
    );
    return rows[0]?.count === count;
  };
  await until(async () => (await send()).status === 202, { what: 'a 202' });
  await until(() => quarantined(1), { what: 'settled' });
  await nats.restart();
  await until(async () => (await send()).status === 202, { what: 'a 202 again', timeoutMs: 20_000 });
  await until(() => quarantined(2), { what: 'settled again', timeoutMs: 20_000 });
}, 60_000);

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import mqtt from 'mqtt';
import { insertDevices, post } from '../harness/fleet.ts';
import { type Stack, startStack } from '../harness/stack.ts';
import { until } from '../harness/until.ts';

const device = { tenantId: 'acme', deviceId: 'd1', siteId: 's1', token: 'secret-token' };

interface Poison {
  readonly name: string;
  /** The payload's text, as a device would send it. */
  readonly text: string;
  /** Stored with these metrics (as PostgreSQL prints them), or quarantined with this reason, or refused at HTTP's doors. */
  readonly expected: { readonly metrics: string } | { readonly reason: string } | { readonly refused: true };
}

const metrics = (text: string) => `{"site_id":"s1","metrics":${text}}`;
const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;

const poisons: readonly Poison[] = [
  {
    name: 'NUL in a value',
    text: metrics('{"a":"x\\u0000y"}'),
    expected: { reason: 'METRIC_VALUE_INVALID' },
  },
  { name: 'NUL in a key', text: metrics('{"a\\u0000":1}'), expected: { reason: 'METRIC_KEY_INVALID' } },
  {
    name: 'lone surrogate in a value',
    text: metrics('{"a":"\\ud800"}'),
    expected: { reason: 'METRIC_VALUE_INVALID' },
  },
  {
    name: 'lone surrogate in a key',
    text: metrics('{"\\udfff":1}'),
    expected: { reason: 'METRIC_KEY_INVALID' },
  },
  { name: '1e400', text: metrics('{"a":1e400}'), expected: { reason: 'METRIC_VALUE_INVALID' } },
  {
    name: 'an integer past 2^53',
    text: metrics('{"a":9007199254740993,"b":18446744073709551615}'),
    expected: { metrics: '{"a": 9007199254740993, "b": 18446744073709551615}' },
  },
  {
    name: 'more digits than a double holds',
    text: metrics('{"a":0.12345678901234567890123}'),
    expected: { metrics: '{"a": 0.12345678901234567890123}' },
  },
  { name: 'a key twice', text: metrics('{"a":1,"a":2}'), expected: { reason: 'METRIC_KEY_INVALID' } },
  {
    name: 'a time that no partition can hold',
    text: '{"site_id":"s1","ts":"1999-01-01T00:00:00Z","metrics":{"a":1}}',
    expected: { reason: 'TIMESTAMP_OUT_OF_RANGE' },
  },
  {
    name: '20,000-deep JSON',
    text: `{"site_id":"s1","metrics":{"a":1},"deep":${deep}}`,
    expected: { refused: true },
  },
  {
    name: '__proto__',
    text: '{"site_id":"s1","metrics":{"a":1},"__proto__":{"x":1}}',
    expected: { refused: true },
  },
];

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
  await insertDevices(stack.pool, [device], { ratePerSecond: 10_000, burst: 100_000 });
});
afterAll(() => stack[Symbol.asyncDispose]());

async function overHttp(text: string): Promise<boolean> {
  return (await post(stack.httpUrl, device, text)).status === 202;
}

async function overBatch(text: string): Promise<boolean> {
  const ids = `"tenant_id":"acme","device_id":"d1","provision_token":"${device.token}",`;
  const body = `{"messages":[{${ids}${text.slice(1)}]}`;
  const response = await fetch(`${stack.httpUrl}/ingest/v1/batch`, { method: 'POST', body });
  if (response.status !== 200) return false;
  return ((await response.json()) as { accepted: number }).accepted === 1;
}

async function overMqtt(text: string): Promise<boolean> {
  const client = await mqtt.connectAsync(stack.mqttUrl, { username: 'acme/d1', password: device.token });
  await client.publishAsync('tenant/acme/device/d1/telemetry', text, { qos: 1 });
  await client.endAsync();
  return true;
}

/** What the next message that settles becomes. */
async function outcomeOf(
  send: () => Promise<boolean>,
): Promise<{ accepted: boolean; metrics?: string; reason?: string }> {
  const count = async () =>
    Number(
      (await stack.pool.query('select sum(stored + quarantined + duplicates) as n from ledger')).rows[0].n,
    );
  const before = await count();
  if (!(await send())) return { accepted: false };
  await until(async () => (await count()) === before + 1, { what: 'the message is settled' });
  const { rows } = await stack.pool.query(
    `(select metrics::text, null as reason, stream_seq from telemetry)
     union all (select null, reason, stream_seq from quarantine) order by stream_seq desc limit 1`,
  );
  const [{ metrics: stored, reason }] = rows;
  return {
    accepted: true,
    ...(stored === null ? {} : { metrics: stored }),
    ...(reason === null ? {} : { reason }),
  };
}

describe.each(poisons.map((poison) => [poison.name, poison] as const))('%s', (_, { text, expected }) => {
  test.each([
    ['single HTTP', overHttp],
    ['batch', overBatch],
  ] as const)('over %s', async (_door, send) => {
    const outcome = await outcomeOf(() => send(text));
    expect(outcome).toEqual('refused' in expected ? { accepted: false } : { accepted: true, ...expected });
  });

  test('over MQTT', async () => {
    // MQTT 3.1.1 has no word for no: what HTTP refuses at the door goes to quarantine.
    const outcome = await outcomeOf(() => overMqtt(text));
    expect(outcome).toEqual({
      accepted: true,
      ...('refused' in expected ? { reason: 'BAD_ENVELOPE' } : expected),
    });
  });
});

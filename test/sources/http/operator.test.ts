import { afterAll, beforeEach, expect, test } from 'bun:test';
import { hashToken } from '../../../src/model/token.ts';
import { createOperatorAuth } from '../../../src/sources/http/operator-auth.ts';
import { openDoor, refusal, told } from './door.ts';

const keySha256 = hashToken('trbop_right');
let find: () => Promise<void>;
let now = 0;
let lookups = 0;
let askWorkers: () => Promise<Uint8Array[]>;
const open = () => ({
  operatorAuth: createOperatorAuth({
    find: async (sha256) => {
      lookups++;
      await find();
      return Buffer.compare(sha256, keySha256) === 0 ? { keyId: 1, name: 'ops' } : undefined;
    },
    now: () => now,
    cacheMs: 5_000,
  }),
  askWorkers: () => askWorkers(),
});
let door = openDoor(undefined, open());
afterAll(() => door.drain());
beforeEach(async () => {
  await door.drain();
  find = async () => {};
  askWorkers = async () => [];
  now = lookups = 0;
  door = openDoor(undefined, open());
});

const ask = (authorization?: string) =>
  fetch(`${door.url}/ingest/v1/metrics/rate-limits`, {
    headers: authorization === undefined ? {} : { Authorization: authorization },
  });

test('the workers’ answers are listed and added up', async () => {
  const first = { id: 'w1', stats: { checked: 10, limited: { device: 1, tenant: 0 }, since: 'x' } };
  const second = { id: 'w2', stats: { checked: 5, limited: { device: 2 }, shares: 1 } };
  askWorkers = async () => [
    Buffer.from(JSON.stringify(first)),
    Buffer.from('not JSON'),
    Buffer.from('null'),
    Buffer.from(JSON.stringify(second)),
  ];
  const answer = await ask('Bearer trbop_right');
  expect(answer.status).toBe(200);
  expect(answer.headers.get('Cache-Control')).toBe('no-store');
  expect(await answer.json()).toEqual({
    rate_limit_stats: { checked: 15, limited: { device: 3, tenant: 0 }, shares: 1 },
    workers: [first, second],
    timestamp: '2026-01-01T00:00:00.000Z',
  });
});

test('without a worker: nothing to add up', async () => {
  expect((await told(ask('bearer trbop_right'))).body).toMatchObject({ rate_limit_stats: {}, workers: [] });
});

test.each([
  undefined,
  '',
  'Bearer',
  'Bearer ',
  'Bearer wrong',
  'Basic trbop_right',
  'trbop_right',
  'Bearer a b',
])('Authorization %p: 401', async (authorization) => {
  const answer = await ask(authorization);
  expect(answer.headers.get('WWW-Authenticate')).toBe('Bearer realm="tributary"');
  expect(await told(Promise.resolve(answer))).toEqual(refusal('unauthorized'));
});

test('a registry that cannot be asked: 503, neither yes nor no', async () => {
  find = async () => {
    throw new Error('connection refused');
  };
  const answer = await ask('Bearer trbop_right');
  expect(answer.headers.get('Retry-After')).toBe('5');
  expect(await told(Promise.resolve(answer))).toEqual(refusal('operator_check_failed'));
});

test('a key that was found is asked for again only after a while; a wrong one every time', async () => {
  await ask('Bearer trbop_right');
  now = 4_999;
  await ask('Bearer trbop_right');
  expect(lookups).toBe(1);
  now = 5_000;
  await ask('Bearer trbop_right');
  expect(lookups).toBe(2);
  await ask('Bearer wrong');
  await ask('Bearer wrong');
  expect(lookups).toBe(4);
});

test('NATS away: 503', async () => {
  askWorkers = async () => {
    throw new Error('disconnected');
  };
  const answer = await ask('Bearer trbop_right');
  expect(answer.status).toBe(503);
  expect(answer.headers.get('Retry-After')).toBe('5');
});

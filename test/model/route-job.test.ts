import { expect, test } from 'bun:test';
import {
  encodeMessageBody,
  encodeRouteJob,
  encodeStatusBody,
  parseRouteJob,
  statusIdentity,
} from '../../src/model/route-job.ts';

const identity = 'ab'.repeat(16);
const message = {
  tenantId: 't1',
  deviceId: 'd:1',
  identity,
  siteId: 'halle "3"',
  msgType: 'telemetry',
  seq: 7,
  time: '2026-06-01T00:00:00.000001Z',
  arrivedAt: '2026-06-01T00:00:01.000Z',
  metricsText: '{"n":12345678901234567890,"x":1e400,"y":1.1}',
  extraText: '{"a":[1],"metrics":{"n":1}}',
};

test('a message’s job holds what the device sent, to the last digit', () => {
  const text = encodeRouteJob(3, identity, encodeMessageBody(message));
  expect(JSON.parse(text)).toMatchObject({ v: 1, job_id: `r1.3.${identity}`, route_id: 3, kind: 'message' });
  expect(parseRouteJob(text)).toEqual({ kind: 'message', routeId: 3, ...message });
});

test('what the device did not send is not there', () => {
  const bare = { ...message, seq: undefined, extraText: undefined };
  const text = encodeRouteJob(3, identity, encodeMessageBody(bare));
  expect(Object.keys(JSON.parse(text))).not.toContain('seq');
  expect(parseRouteJob(text)).toEqual({ kind: 'message', routeId: 3, ...bare });
});

test('a change of status has one identity, however its moment is written', () => {
  const change = { status: 'OFFLINE', previous: 'STALE', since: '2026-06-01T00:00:00.000000Z' };
  const own = statusIdentity('t1', 'd1', change);
  expect(statusIdentity('t1', 'd1', { ...change, since: '2026-06-01T02:00:00+02:00' })).toBe(own);
  expect(statusIdentity('t1', 'd2', change)).not.toBe(own);
  const head = { tenantId: 't1', deviceId: 'd1', identity: own };
  const text = encodeRouteJob(3, own, encodeStatusBody({ ...head, ...change }));
  expect(parseRouteJob(text)).toEqual({ kind: 'status', routeId: 3, ...head, ...change });
});

test.each([
  '[]',
  '{"v":2}',
  '{"v":1,"route_id":1}',
  'null',
  `{"v":1,"job_id":"x","route_id":1,"tenant_id":"t",
  "device_id":"d","identity":"i","kind":"message"}`,
])('%s is no job', (text) => expect(() => parseRouteJob(text)).toThrow('A message of ROUTES'));

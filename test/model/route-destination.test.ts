import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseDestination, renderSubject, renderTopic } from '../../src/model/route-destination.ts';
import { RouteFault } from '../../src/model/route-fault.ts';

function refusal(value: unknown): string {
  try {
    parseDestination(value, 'acme');
  } catch (error) {
    if (error instanceof RouteFault && error.field === 'destination') return error.message;
    throw error;
  }
  throw new Error(`was taken: ${JSON.stringify(value)}`);
}

test.each([
  { kind: 'webhook', url: 'https://example.com/hook?x=1' },
  { kind: 'webhook', url: 'http://example.com', method: 'PUT', headers: { 'X-Site': 'a' } },
  { kind: 'webhook', url: 'https://example.com', batch: { max_messages: 100, max_wait_ms: 1_000 } },
  { kind: 'mqtt', topic: 'tenant/{tenant_id}/device/{device_id}/alerts' },
  { kind: 'mqtt', topic: 'tenant/acme/alerts/{device_id}/{msg_type}' },
  { kind: 'mqtt', url: 'mqtts://broker.example.com:8883', topic: 'plant/{device_id}', username: 'u' },
  { kind: 'nats', subject: 'out.{tenant_id}.{device_id}.{msg_type}' },
  { kind: 'nats', subject: 'out.acme.alerts' },
])('%p is taken', (value) => expect(parseDestination(value, 'acme')).toEqual(value as never));

describe('refused', () => {
  test.each([
    [null, 'kind'],
    [{ kind: 'kafka' }, 'kind'],
    [{ kind: 'webhook' }, 'url'],
    [{ kind: 'webhook', url: 'https://example.com', secret: 'x' }, 'webhook'],
    [{ kind: 'webhook', url: 'ftp://example.com' }, 'no address'],
    [{ kind: 'webhook', url: 'https://user:pw@example.com' }, 'user or password'],
    [{ kind: 'webhook', url: 'https://example.com/#x' }, 'fragment'],
    [{ kind: 'webhook', url: 'https://example.com', headers: { 'Webhook-Id': 'x' } }, 'itself'],
    [{ kind: 'webhook', url: 'https://example.com', headers: { Host: 'x' } }, 'itself'],
    [{ kind: 'webhook', url: 'https://example.com', headers: { 'X-A': 'a\r\nB: c' } }, 'printable'],
    [{ kind: 'webhook', url: 'https://example.com', headers: { 'X A': 'a' } }, 'no header name'],
  ] as const)('%p', (value, part) => expect(refusal(value)).toContain(part));

  test.each([
    'tenant/{tenant_id}/device/{device_id}/{msg_type}',
    'tenant/{tenant_id}/device/{device_id}/telemetry',
    'tenant/acme/device/x/heart{msg_type}',
    'tenant/acme/{device_id}/x/telemetry',
  ])('%s could be an ingest topic', (topic) => {
    expect(refusal({ kind: 'mqtt', topic })).toContain('come in again');
    expect(refusal({ kind: 'mqtt', url: 'mqtt://elsewhere', topic })).toContain('come in again');
  });

  test.each([
    ['alerts/{device_id}', 'begins with tenant/'],
    ['tenant/rival/alerts', 'begins with tenant/'],
    ['tenant/acme/+', 'no wildcard'],
    ['tenant/acme/a\0b', 'no control character'],
    ['tenant/acme/{token}', 'no placeholder'],
    ['tenant/acme/{device_id', 'brace'],
  ])('topic %s', (topic, part) => expect(refusal({ kind: 'mqtt', topic })).toContain(part));

  test.each([
    ['telemetry.acme', 'out.'],
    ['routes.acme', 'out.'],
    ['out.rival.x', 'out.'],
    ['out.acme', 'out.'],
    ['$JS.API.STREAM.DELETE.TELEMETRY', 'out.'],
    ['out.acme.*', 'tokens'],
    ['out.acme.>', 'tokens'],
    ['out.acme..x', 'tokens'],
    ['out.acme.a b', 'tokens'],
  ])('subject %s', (subject, part) => expect(refusal({ kind: 'nats', subject })).toContain(part));
});

test('a topic of many placeholders in a row is judged at once', () => {
  const topic = `tenant/{tenant_id}/device/x/${'{msg_type}'.repeat(45)}`;
  expect(refusal({ kind: 'mqtt', topic })).toContain('come in again');
  // Without a bound this one takes longer than a test may.
  const near = { kind: 'mqtt', topic: `${topic}!` };
  expect(parseDestination(near, 'acme')).toEqual(near as never);
});

const anyValues = fc.record({
  tenant_id: fc.constant('acme'),
  device_id: fc.string(),
  msg_type: fc.string(),
});

test('whatever a device is called, a subject stays below the tenant’s prefix and gets no more tokens', () => {
  fc.assert(
    fc.property(anyValues, (values) => {
      const subject = renderSubject('out.{tenant_id}.{device_id}.x', values);
      if (subject === undefined) return;
      expect(subject.split('.')).toHaveLength(4);
      expect(subject).toStartWith('out.acme.');
      expect(subject).not.toMatch(/[*>\s]/);
    }),
  );
});

test('whatever a device is called, a topic gets no more levels and is no ingest topic', () => {
  fc.assert(
    fc.property(anyValues, (values) => {
      expect(renderTopic('tenant/{tenant_id}/device/{device_id}/alerts', values)?.split('/')).toHaveLength(5);
    }),
  );
  const values = { tenant_id: 'acme', device_id: 'd1', msg_type: 'telemetry' };
  // What was stored before the check, or written with SQL.
  expect(renderTopic('tenant/{tenant_id}/device/{device_id}/{msg_type}', values)).toBeUndefined();
  expect(renderSubject('telemetry.{tenant_id}', values)).toBeUndefined();
  expect(renderSubject('out.{tenant_id}.{device_id}', { ...values, device_id: 'a.b' })).toBe(
    'out.acme.a%2Eb',
  );
});

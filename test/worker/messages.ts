import type { RegisteredDevice, RegisteredTenant, RegistryView } from '../../src/model/registry.ts';
import type { RawMessage, Rejection } from '../../src/model/verdict.ts';
import { type DecodeOptions, decode } from '../../src/worker/decode.ts';
import type { Decoded } from '../../src/worker/decoded.ts';
import { judge } from '../../src/worker/judge/judge.ts';
import { registeredDevice } from '../harness/registered-device.ts';

export const arrivedAtMs = Date.parse('2026-01-01T00:00:00Z');
export const token = 'trb_test-token-of-device-d1';

export const options: DecodeOptions = {
  stream: 'TELEMETRY',
  maxBodyBytes: 4096,
  maxMetrics: 8,
  maxAheadMs: 86_400_000,
  retentionMs: 400 * 86_400_000,
};

export type Loose = Record<string, unknown>;

export const goodPayload: Loose = { site_id: 's1', metrics: { temp: 22 }, provision_token: token };

/** A good envelope as an object, with members replaced; `undefined` takes one away. */
export function envelopeOf(changes: Loose = {}, payloadChanges: Loose = {}): Loose {
  return {
    topic: 'tenant/t1/device/d1/telemetry',
    tenant_id: 't1',
    device_id: 'd1',
    msg_type: 'telemetry',
    username: '',
    payload: { ...goodPayload, ...payloadChanges },
    ts: arrivedAtMs,
    ...changes,
  };
}

/** An envelope around a payload given as JSON text, spliced in as the doors do it. */
export function envelopeText(payloadText: string): string {
  return JSON.stringify(envelopeOf({ payload: '@' })).replace('"@"', () => payloadText);
}

/** A good payload's text with these JSON texts as its members, `undefined` for none. */
export function payloadText(members: Record<string, string>): string {
  const all = { site_id: '"s1"', metrics: '{"temp":22}', provision_token: JSON.stringify(token), ...members };
  return `{${Object.entries(all)
    .map(([key, text]) => `${JSON.stringify(key)}:${text}`)
    .join(',')}}`;
}

export function rawOf(envelope: Loose | string | Uint8Array, changes: Partial<RawMessage> = {}): RawMessage {
  const text = typeof envelope === 'string' ? envelope : JSON.stringify(envelope);
  return {
    subject: 'telemetry.t1',
    seq: 7,
    timestampNs: BigInt(arrivedAtMs + 3) * 1_000_000n,
    msgId: undefined,
    deliveryCount: 1,
    data: envelope instanceof Uint8Array ? envelope : new TextEncoder().encode(text),
    ...changes,
  };
}

export function deviceOf(changes: Partial<RegisteredDevice> = {}): RegisteredDevice {
  return registeredDevice('t1', 'd1', token, changes);
}

export function registryOf(
  devices: readonly RegisteredDevice[] = [deviceOf()],
  tenants: readonly RegisteredTenant[] = [],
): RegistryView {
  return {
    version: 1,
    device: (tenantId, deviceId) =>
      devices.find((device) => device.tenantId === tenantId && device.deviceId === deviceId),
    tenant: (tenantId) => tenants.find((tenant) => tenant.tenantId === tenantId),
  };
}

/** Decoded and judged; `accept`, `internal` or the rejection. */
export function verdictOn(
  message: Loose | string | Uint8Array | RawMessage,
  registry: RegistryView = registryOf(),
): 'accept' | 'internal' | Rejection {
  const raw = isRaw(message) ? message : rawOf(message);
  const verdict = judge(decode(raw, options), registry);
  return verdict.outcome === 'quarantine' ? verdict.rejection : verdict.outcome;
}

export function reasonOf(message: Loose | string | Uint8Array | RawMessage, registry?: RegistryView): string {
  const verdict = verdictOn(message, registry);
  return typeof verdict === 'string' ? verdict : verdict.reason;
}

/** The reading of a message that must have passed the checks of its form. */
export function readingOf(
  message: Loose | string,
): Extract<Decoded['result'], { form: 'reading' }>['reading'] {
  const { result } = decode(rawOf(message), options);
  if (result.form !== 'reading') throw new Error(`not a reading: ${JSON.stringify(result)}`);
  return result.reading;
}

function isRaw(message: object | string): message is RawMessage {
  return typeof message === 'object' && 'timestampNs' in message;
}

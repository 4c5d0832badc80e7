import { isTenantId, msgTypes, type TenantId } from './identifiers.ts';

/** What a route publishes to the subscribers of our own MQTT listeners. */
export interface Republish {
  readonly topic: string;
  readonly payload: Uint8Array;
}

const lineEnd = 10;

/** On core NATS: the topic, a line end, the payload. */
export function encodeRepublish({ topic, payload }: Republish): Uint8Array {
  return Buffer.concat([Buffer.from(topic), Buffer.of(lineEnd), payload]);
}

/** Undefined for anything else, and for a topic that must not be published: see `isRepublishTopic`. */
export function decodeRepublish(data: Uint8Array): Republish | undefined {
  const end = data.indexOf(lineEnd);
  if (end < 1) return undefined;
  const topic = Buffer.from(data.subarray(0, end)).toString('utf8');
  return isRepublishTopic(topic) ? { topic, payload: data.subarray(end + 1) } : undefined;
}

/**
 * Topics that devices of one tenant can hear and none can send on: `tenant/{t}/out/…`, which all of its devices may
 * subscribe to, and what is below a device's own `tenant/{t}/device/{d}/`, except the topics that it sends on.
 */
export function isRepublishTopic(topic: string): boolean {
  const levels = topic.split('/');
  const [tenant, tenantId, space, ...rest] = levels;
  if (tenant !== 'tenant' || !isTenantId(tenantId) || topic.length > 1_024) return false;
  // A name of a topic holds no wildcard [MQTT-3.3.2-2] and no NUL.
  if (/[+#\0]/.test(topic)) return false;
  if (space === 'out') return rest.length > 0;
  const [device, ...below] = rest;
  if (space !== 'device' || device === undefined || device === '' || below.length === 0) return false;
  return !(below.length === 1 && msgTypes.some((msgType) => msgType === below[0]));
}

/** The prefix of what all devices of a tenant may subscribe to. */
export function outSpace(tenantId: TenantId): string {
  return `tenant/${tenantId}/out`;
}

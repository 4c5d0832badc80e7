import type { DeviceId, TenantId } from '../model/identifiers.ts';

/** Accepted messages on their way to the database. */
export const streamName = 'TELEMETRY';
/** The workers' durable consumer of TELEMETRY. */
export const consumerName = 'ingest-workers';
export const telemetrySubjects = 'telemetry.>';

/** Jobs for the routes that accepted messages matched. */
export const routesStreamName = 'ROUTES';
export const routesConsumerName = 'route-delivery';
export const routesSubjects = 'routes.>';

/** Questions that every live role answers. */
export const rolesStatusSubject = 'tributary.roles.status';
/** Questions that every live worker answers. */
export const rateLimitsSubject = 'tributary.workers.rate-limits';
/** Where workers tell each other what they counted. */
export const limitsSubject = 'tributary.limits';

/** What every MQTT listener publishes to its subscribers: see `encodeRepublish`. */
export const republishSubject = 'tributary.mqtt.publish';

/** Where the worker that audits tells what it found. */
export const auditSubject = 'tributary.audit';

/** JetStream gave up delivering a message of ours. Somebody has given a consumer a limit: ours has none. */
export const maxDeliveriesSubjects = [streamName, routesStreamName].map(
  (stream) => `$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${stream}.>`,
);

/** Where a worker tells a gateway that its canary is committed. */
export function canaryEchoSubject(senderId: string): string {
  return `tributary.canary.${encodeDeviceToken(senderId)}`;
}

/** A door's address for notices of one message: its id, and the number of who waits there. */
const settledToPattern = /^[A-Za-z0-9_-]{1,64}\.[0-9a-z]{1,11}$/;

/**
 * Where a worker tells a gateway what became of a message that somebody waits for. @returns undefined for a text that
 * is no such address: it stands in a header, which anybody may have published
 */
export function settledSubject(settledTo: string): string | undefined {
  return settledToPattern.test(settledTo) ? `tributary.settled.${settledTo}` : undefined;
}

export function settledToAddress(doorId: string, waiter: number): string {
  return `${encodeDeviceToken(doorId)}.${waiter.toString(36)}`;
}

/** All notices for a door; the last token is the waiter. */
export function settledSubjects(doorId: string): string {
  return `tributary.settled.${encodeDeviceToken(doorId)}.*`;
}

export function telemetrySubject(tenantId: TenantId): string {
  return `telemetry.${tenantId}`;
}

/**
 * Where accepted readings go out after the commit. A subject's tokens are parted by dots, which a device id
 * may hold: they are written `%2E` (an id holds no `%` of its own).
 */
export function readingsSubject(tenantId: TenantId, deviceId: DeviceId): string {
  return `readings.${tenantId}.${encodeDeviceToken(deviceId)}`;
}

/** Of one tenant or all, of one device or all. */
export function readingsSubjects(tenantId?: TenantId, deviceId?: DeviceId): string {
  return `readings.${tenantId ?? '*'}.${deviceId === undefined ? '*' : encodeDeviceToken(deviceId)}`;
}

function encodeDeviceToken(deviceId: string): string {
  return deviceId.replaceAll('.', '%2E');
}

/** Where a tenant's jobs lie in ROUTES. */
export function routesSubject(tenantId: string): string {
  return `routes.${tenantId}`;
}

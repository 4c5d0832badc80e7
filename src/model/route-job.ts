import { shortHash } from './canonical-hash.ts';
import { jobJson } from './job-json.ts';
import { topLevelMembers } from './json-spans.ts';

/**
 * What lies on `routes.{tenant_id}` in ROUTES: one job for one route, as UTF-8 JSON. It holds no token. `metrics` and
 * `extra` are what the device sent as `jobJson` writes it; a job is never parsed and printed again.
 */

export interface JobHead {
  readonly routeId: number;
  readonly tenantId: string;
  readonly deviceId: string;
  /** 32 hex digits: of the message, or of the change of status. */
  readonly identity: string;
}

export interface RoutedMessage {
  readonly siteId: string;
  readonly msgType: string;
  readonly seq: number | undefined;
  /** Event time and arrival, ISO 8601 in UTC. */
  readonly time: string;
  readonly arrivedAt: string;
  /** JSON text. */
  readonly metricsText: string;
  readonly extraText: string | undefined;
}

/** A device's status, as in `device_state`. */
export interface StatusChange {
  /** `OFFLINE`, or `ONLINE` when it came back. */
  readonly status: string;
  readonly previous: string;
  /** ISO 8601 in UTC. */
  readonly since: string;
}

export type RouteJob = JobHead &
  (({ readonly kind: 'message' } & RoutedMessage) | ({ readonly kind: 'status' } & StatusChange));

/** The same for every attempt, and the `Nats-Msg-Id`: of two publishes of a job JetStream keeps one. */
export function routeJobId({ routeId, identity }: Pick<JobHead, 'routeId' | 'identity'>): string {
  return `r1.${routeId}.${identity}`;
}

/** One change is one event, whoever writes it down and however often. */
export function statusIdentity(tenantId: string, deviceId: string, { status, since }: StatusChange): string {
  return shortHash(JSON.stringify(['status', tenantId, deviceId, status, Date.parse(since)]));
}

/** The part of a message's job that is the same for all its routes, and whether it comes from memory or from the database. */
export function encodeMessageBody(message: Omit<JobHead, 'routeId'> & RoutedMessage): string {
  const { deviceId, siteId, msgType, seq, time, arrivedAt, metricsText, extraText } = message;
  const seqText = seq === undefined ? '' : `"seq":${seq},`;
  const extra = extraText === undefined ? '' : `,"extra":${jobJson(extraText)}`;
  // Ids and times need no escaping; a site is any text.
  return (
    `"kind":"message","tenant_id":"${message.tenantId}","device_id":"${deviceId}","site_id":${JSON.stringify(siteId)},` +
    `"msg_type":"${msgType}",${seqText}"time":"${time}","arrived_at":"${arrivedAt}","identity":"${message.identity}",` +
    `"metrics":${jobJson(metricsText)}${extra}}`
  );
}

export function encodeStatusBody(event: Omit<JobHead, 'routeId'> & StatusChange): string {
  const { tenantId, deviceId, identity, status, previous, since } = event;
  return (
    `"kind":"status","tenant_id":"${tenantId}","device_id":"${deviceId}","identity":"${identity}",` +
    `"status":"${status}","previous":"${previous}","since":"${since}"}`
  );
}

/** @param body of `encodeMessageBody` or `encodeStatusBody` */
export function encodeRouteJob(routeId: number, identity: string, body: string): string {
  return `{"v":1,"job_id":"${routeJobId({ routeId, identity })}","route_id":${routeId},${body}`;
}

/**
 * Reads what `encodeRouteJob` wrote.
 * @throws Error for anything else, naming what is wrong with it
 */
export function parseRouteJob(text: string): RouteJob {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw notAJob('is not an object');
  const fields = value as Record<string, unknown>;
  if (fields.v !== 1) throw notAJob(`has the version ${String(fields.v)}, and 1 is known`);
  const head: JobHead = {
    routeId: integerField(fields, 'route_id'),
    tenantId: textField(fields, 'tenant_id'),
    deviceId: textField(fields, 'device_id'),
    identity: textField(fields, 'identity'),
  };
  if (fields.job_id !== routeJobId(head)) throw notAJob('has a job_id that is not its own');
  if (fields.kind === 'status') {
    const [status, previous, since] = (['status', 'previous', 'since'] as const).map((name) =>
      textField(fields, name),
    );
    return { ...head, kind: 'status', status: status ?? '', previous: previous ?? '', since: since ?? '' };
  }
  if (fields.kind !== 'message') throw notAJob(`has the kind ${String(fields.kind)}`);
  const metricsText = memberText(text, 'metrics');
  if (metricsText === undefined) throw notAJob('has no metrics');
  return {
    ...head,
    kind: 'message',
    siteId: textField(fields, 'site_id'),
    msgType: textField(fields, 'msg_type'),
    seq: fields.seq === undefined ? undefined : integerField(fields, 'seq'),
    time: textField(fields, 'time'),
    arrivedAt: textField(fields, 'arrived_at'),
    metricsText,
    extraText: memberText(text, 'extra'),
  };
}

function notAJob(what: string): Error {
  return new Error(`A message of ROUTES ${what}: only Tributary publishes on routes.>`);
}

function textField(fields: Record<string, unknown>, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw notAJob(`has no text ${name}`);
  return value;
}

function integerField(fields: Record<string, unknown>, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw notAJob(`has no integer ${name}`);
  return value;
}

function memberText(text: string, key: string): string | undefined {
  const member = topLevelMembers(text).findLast((each) => each.key === key);
  return member === undefined ? undefined : text.slice(member.valueStart, member.valueEnd);
}

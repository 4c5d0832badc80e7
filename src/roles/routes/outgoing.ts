import { batchParcel, type Parcel, readJob, singleParcel } from '../../delivery/parcel.ts';
import { renderWebhookBody, templateValues } from '../../delivery/render.ts';
import { headersOf } from '../../delivery/webhook/webhook-sender.ts';
import {
  type Destination,
  renderSubject,
  renderTopic,
  type WebhookDestination,
} from '../../model/route-destination.ts';
import { encodeMessageBody, encodeRouteJob } from '../../model/route-job.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import type { StoredMessage } from '../../store/routes/select-messages.ts';
import { version } from '../process/role-status.ts';

/** What would be sent, to the letter. */
export interface Outgoing {
  readonly jobIds: readonly string[];
  /** `POST https://example.org/hook`, `PUBLISH out/d1 (QoS 1)`, or why nothing can be sent. */
  readonly line: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export const userAgent = `Tributary/${version}`;

/** The parcels of delivery, as it would make them of these messages. */
export function parcelsOf(
  routeId: number,
  destination: Destination,
  messages: readonly StoredMessage[],
  nowMs: number,
): Parcel[] {
  const jobs = messages.map((message) =>
    readJob(encodeRouteJob(routeId, message.identity, encodeMessageBody(message))),
  );
  const most = destination.kind === 'webhook' ? destination.batch?.max_messages : undefined;
  if (most === undefined) return jobs.map((job) => singleParcel(job, nowMs));
  const batches = Array.from({ length: Math.ceil(jobs.length / most) }, (_, index) =>
    jobs.slice(index * most, (index + 1) * most),
  );
  return batches.map((batch) => batchParcel(batch, nowMs));
}

/** @param secrets sign what is shown; headers that are secret are starred */
export function outgoingOf(
  parcel: Parcel,
  destination: Destination,
  secrets: RouteSecrets,
  wallClock: () => number,
): Outgoing {
  const jobIds = parcel.jobs.map(({ jobId }) => jobId);
  const [job] = parcel.jobs;
  if (job === undefined) throw new Error('a parcel without a job');
  if (destination.kind === 'webhook')
    return { jobIds, ...requestOf(parcel, destination, secrets, wallClock) };
  const values = templateValues(job);
  const [verb, place] =
    destination.kind === 'mqtt'
      ? ['PUBLISH at QoS 1 to', renderTopic(destination.topic, values)]
      : ['PUB', renderSubject(destination.subject, values)];
  const template = destination.kind === 'mqtt' ? destination.topic : destination.subject;
  const line =
    place === undefined
      ? `nothing: ${template} gives one that must not be published, so it becomes a dead letter`
      : `${verb} ${place}`;
  const headers = destination.kind === 'nats' ? { 'Nats-Msg-Id': job.jobId } : {};
  return {
    jobIds,
    line,
    headers: place === undefined ? {} : headers,
    body: place === undefined ? '' : job.text,
  };
}

function requestOf(
  parcel: Parcel,
  destination: WebhookDestination,
  secrets: RouteSecrets,
  wallClock: () => number,
): Omit<Outgoing, 'jobIds'> {
  const body = renderWebhookBody(parcel.jobs, parcel.isBatch);
  const bytes = Buffer.from(body);
  const headers = headersOf(parcel, bytes, { destination, secrets, userAgent, wallClock });
  const secret = new Set(Object.keys(secrets.headers ?? {}));
  const shown = Object.entries(headers).map(([name, value]) => [name, secret.has(name) ? '***' : value]);
  return {
    line: `${destination.method ?? 'POST'} ${destination.url}`,
    headers: {
      ...Object.fromEntries(shown),
      'content-length': String(bytes.length),
      'accept-encoding': 'identity',
    },
    body,
  };
}

import {
  consumerName,
  routesConsumerName,
  routesStreamName,
  routesSubjects,
  streamName,
  telemetrySubjects,
} from './subjects.ts';

export interface TopologyOptions {
  /** Size limit of TELEMETRY. */
  readonly streamMaxBytes: number;
  /** Messages that one tenant may have waiting in TELEMETRY. */
  readonly streamMaxPerTenant: number;
  readonly streamReplicas: number;
  /** JetStream delivers again what was not acknowledged within this time. */
  readonly ackWaitMs: number;
  readonly maxAckPending: number;
  /** Size limit of ROUTES. */
  readonly routesMaxBytes?: number;
}

export const topologyDefaults = {
  routesMaxBytes: 512 * 1024 ** 2,
  /** JetStream drops a publish whose id it saw within this time. */
  duplicateWindowMs: 120_000,
  /** Pull requests that may wait at once: workers × requests per worker. */
  maxWaiting: 2_048,
} as const;

/** A definition in JetStream's spelling. */
export type Definition = Readonly<Record<string, unknown>>;

export interface WantedConsumer {
  readonly stream: string;
  readonly name: string;
  readonly config: Definition;
}

const nsPerMs = 1_000_000;

/** Nothing is ever dropped to make room: discard new, and work-queue retention keeps until the ack. */
function workQueue(name: string, subjects: string, options: TopologyOptions): Definition {
  return {
    name,
    subjects: [subjects],
    storage: 'file',
    retention: 'workqueue',
    discard: 'new',
    max_age: 0,
    max_msgs: -1,
    num_replicas: options.streamReplicas,
    duplicate_window: topologyDefaults.duplicateWindowMs * nsPerMs,
  };
}

export function wantedStreams(options: TopologyOptions): Definition[] {
  return [
    {
      ...workQueue(streamName, telemetrySubjects, options),
      max_bytes: options.streamMaxBytes,
      // Together: one tenant's backlog is refused by itself, and cannot fill the stream for all.
      max_msgs_per_subject: options.streamMaxPerTenant,
      discard_new_per_subject: true,
    },
    {
      ...workQueue(routesStreamName, routesSubjects, options),
      max_bytes: options.routesMaxBytes ?? topologyDefaults.routesMaxBytes,
    },
  ];
}

export function wantedConsumers(options: TopologyOptions): WantedConsumer[] {
  const config = (name: string): Definition => ({
    durable_name: name,
    ack_policy: 'explicit',
    deliver_policy: 'all',
    replay_policy: 'instant',
    // A message that fails again and again stays visible as lag; with a limit it would lie there unseen.
    max_deliver: -1,
    ack_wait: options.ackWaitMs * nsPerMs,
    max_ack_pending: options.maxAckPending,
    max_waiting: topologyDefaults.maxWaiting,
  });
  return [
    { stream: streamName, name: consumerName, config: config(consumerName) },
    { stream: routesStreamName, name: routesConsumerName, config: config(routesConsumerName) },
  ];
}

/** What differs, one sentence each: only what is wanted counts, the server adds fields of its own. */
export function differences(wanted: Definition, live: Definition): string[] {
  return Object.entries(wanted)
    .filter(([field, value]) => !isSame(value, live[field]))
    .map(([field, value]) => `${field} is ${show(live[field])}, wanted ${show(value)}`);
}

/** The server leaves out what is empty. */
function isSame(wanted: unknown, live: unknown): boolean {
  if (live === undefined) return wanted === 0 || wanted === false;
  return JSON.stringify(wanted) === JSON.stringify(live);
}

function show(value: unknown): string {
  return value === undefined ? 'not set' : typeof value === 'string' ? value : JSON.stringify(value);
}

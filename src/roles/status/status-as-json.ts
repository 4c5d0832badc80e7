import { auditAsJson } from '../../audit/audit-as-json.ts';
import { sentenceOf } from '../../lib/sentence-of.ts';
import type { Alarm } from '../../store/listings/list-alarms.ts';
import type { Status } from './gather.ts';
import type { StreamSample } from './probe-nats.ts';

/** The status for programs, in the words of the wire. */
export function statusAsJson({ nats, database, audit }: Status): unknown {
  return {
    nats:
      'error' in nats
        ? { reachable: false, error: sentenceOf(nats.error) }
        : { reachable: true, server: nats.value.sample.server },
    database:
      'error' in database ? { reachable: false, error: sentenceOf(database.error) } : { reachable: true },
    rates: {
      accepted_per_second: 'value' in nats ? nats.value.acceptedPerSecond : null,
      stored_per_second: 'value' in database ? database.value.storedPerSecond : null,
      quarantined_per_second: 'value' in database ? database.value.quarantinedPerSecond : null,
    },
    totals: 'value' in database ? database.value.totals : null,
    alarms: 'value' in database ? database.value.alarms.map(alarmAsJson) : null,
    devices: 'value' in database ? database.value.devices : null,
    audit: 'value' in audit ? auditAsJson(audit.value, []) : null,
    durability: 'value' in nats ? (nats.value.durability ?? null) : null,
    streams: 'value' in nats ? nats.value.sample.streams.map(streamAsJson) : null,
    roles: 'value' in nats ? nats.value.roles : null,
  };
}

/** In the words of the wire. */
export function alarmAsJson({ kind, subject, count, detail, firstAt, lastAt }: Alarm): unknown {
  return { kind, subject, count, detail, first_at: firstAt, last_at: lastAt };
}

/** In the words of the wire. */
export function streamAsJson({ name, stream, consumer }: StreamSample): Readonly<Record<string, unknown>> {
  return {
    name,
    messages: stream?.state.messages,
    bytes: stream?.state.bytes,
    max_bytes: stream?.maxBytes,
    first_seq: stream?.state.firstSeq,
    last_seq: stream?.state.lastSeq,
    consumer:
      consumer === undefined
        ? null
        : {
            name: consumer.name,
            num_pending: consumer.pending,
            num_ack_pending: consumer.ackPending,
            num_redelivered: consumer.redelivered,
            ack_floor: consumer.ackFloorSeq,
          },
  };
}

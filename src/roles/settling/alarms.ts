import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { createAlarmMetrics } from '../../observe/alarms.ts';
import { type RaisedAlarm, raiseAlarm } from '../../store/statements/raise-alarm.ts';
import { type MaxDeliveries, watchMaxDeliveries } from '../../stream/advisories.ts';
import { routesStreamName, streamName } from '../../stream/subjects.ts';

export interface AlarmsOptions {
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  readonly metrics: Registry;
  readonly log: Logger;
}

const writeEveryMs = 1_000;

/** Hears what JetStream gives up on, says so in log and metrics, and writes it down where `tributary status` looks. */
export function startAlarms({ nc, pool, metrics, log }: AlarmsOptions): { drain(): Promise<void> } {
  const counters = createAlarmMetrics(metrics, [streamName, routesStreamName]);
  // One per stream and consumer, so a flood of advisories stays small while the database is away.
  const unwritten = new Map<string, RaisedAlarm>();
  let writing = false;
  const watch = watchMaxDeliveries(nc, (advisory) => {
    const alarm = alarmOf(advisory);
    counters.maxDeliveries(advisory.stream);
    log.error({ event: 'max_deliveries', ...advisory }, alarm.detail);
    const before = unwritten.get(alarm.subject)?.count ?? 0;
    unwritten.set(alarm.subject, { ...alarm, count: before + 1 });
  });
  const write = async () => {
    if (writing || unwritten.size === 0) return;
    writing = true;
    for (const [subject, alarm] of unwritten) {
      unwritten.delete(subject);
      try {
        await raiseAlarm(pool, alarm);
      } catch (error) {
        log.warn(
          { event: 'alarm_not_written', err: error },
          'an alarm is not written down yet: trying again',
        );
        unwritten.set(subject, { ...alarm, count: alarm.count + (unwritten.get(subject)?.count ?? 0) });
        break;
      }
    }
    writing = false;
  };
  const timer = setInterval(() => void write(), writeEveryMs);
  return {
    async drain() {
      clearInterval(timer);
      await watch.drain();
      await write();
    },
  };
}

function alarmOf({ stream, consumer, seq, deliveries }: MaxDeliveries): RaisedAlarm {
  return {
    kind: 'max_deliveries',
    subject: `${stream}/${consumer}`,
    count: 1,
    detail:
      `JetStream gave up delivering sequence ${seq} of ${stream} to ${consumer} after ${deliveries} attempts: it lies ` +
      'there unsettled. The consumer’s max_deliver must be -1: tributary topology --update.',
  };
}

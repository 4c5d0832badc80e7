import { Counter, Gauge, type Registry } from 'prom-client';
import { createTalliedCounter } from './tallied-counter.ts';

/** What became of a message that a broker handed to the bridge. Each is acknowledged to the broker. */
const bridgeOutcomes = {
  accepted: 'stored in TELEMETRY',
  duplicate: 'TELEMETRY had it already',
  bad_topic: 'dropped: not an ingest topic',
  too_large: 'dropped: its envelope is larger than NATS takes',
  unknown_tenant_limit: 'dropped: unknown tenants used up the bucket that they share',
  retained: 'dropped: the broker kept it from before the subscription',
  refused: 'dropped: anything else that intake refused for good',
} as const;

export type BridgeOutcome = keyof typeof bridgeOutcomes;

/** What the bridge counts. No tenant, device or topic in any label. */
export interface BridgeMetrics {
  /** A connection is subscribed. */
  subscribed(): void;
  /** A connection that was subscribed is no more. */
  unsubscribed(): void;
  /** The broker knew nothing of a session that should have been there: what waited in it is lost. */
  sessionLost(): void;
  settled(qos: number, outcome: BridgeOutcome): void;
  /** The broker sent a message again; `inHand`: it was known to be the same, and was not published again. */
  redelivered(inHand: boolean): void;
  retried(): void;
}

export function createBridgeMetrics(registry: Registry, held: () => number): BridgeMetrics {
  const registers = [registry];
  const connections = new Gauge({
    name: 'tributary_mqtt_bridge_connections',
    help: 'Connections of the bridge that are subscribed at the broker.',
    registers,
  });
  new Gauge({
    name: 'tributary_mqtt_bridge_held_messages',
    help: 'Messages that JetStream does not take at present: tried again, and not acknowledged to the broker.',
    registers,
    collect() {
      this.set(held());
    },
  });
  const messages = createTalliedCounter({
    name: 'tributary_mqtt_bridge_messages_total',
    help: 'Messages from the broker by quality of service and outcome; all but accepted and duplicate are dropped.',
    labelNames: ['qos', 'outcome'],
    registers,
  });
  const redelivered = createTalliedCounter({
    name: 'tributary_mqtt_bridge_redelivered_total',
    help: 'Messages that the broker sent again, by whether the bridge still had them in hand (yes, no).',
    labelNames: ['in_hand'],
    registers,
  });
  const sessionsLost = new Counter({
    name: 'tributary_mqtt_bridge_sessions_lost_total',
    help: 'Sessions that the broker had forgotten when the bridge came back.',
    registers,
  });
  const retries = new Counter({
    name: 'tributary_mqtt_bridge_retries_total',
    help: 'Times that a message was offered to JetStream again.',
    registers,
  });
  return {
    subscribed: () => connections.inc(),
    unsubscribed: () => connections.dec(),
    sessionLost: () => sessionsLost.inc(),
    settled: (qos, outcome) => messages.inc(String(qos), outcome),
    redelivered: (inHand) => redelivered.inc(inHand ? 'yes' : 'no'),
    retried: () => retries.inc(),
  };
}

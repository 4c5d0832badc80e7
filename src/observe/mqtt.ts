import { Counter, Gauge, type Registry } from 'prom-client';

/** Why the listener closed a connection, or refused a CONNECT, a publish or a subscription. */
export type MqttRefusal =
  /** More connections than the listener may hold. */
  | 'too_many_connections'
  /** No CONNECT in time. */
  | 'connect_timeout'
  /** A packet was begun and not finished in time. */
  | 'receive_timeout'
  /** Half-received packets filled the listener's budget, and this one was the oldest. */
  | 'receive_budget'
  /** Nothing heard for one and a half keep-alive times. */
  | 'keepalive_timeout'
  /** Bytes that are not MQTT 3.1.1, or a packet out of its place. */
  | 'malformed'
  /** An MQTT version other than 3.1.1 (and 3.1). */
  | 'protocol_version'
  /** A packet whose header announces more than is allowed. */
  | 'packet_too_large'
  | 'client_id'
  /** Unknown device, wrong token, or credentials that are none. */
  | 'bad_credentials'
  | 'device_revoked'
  /** No credentials, where they are required. */
  | 'anonymous'
  /** A will on a topic that the client may not publish to. */
  | 'will_topic'
  /** Not an ingest topic, or an identifier in it is not allowed. */
  | 'bad_topic'
  /** Somebody else's topic. */
  | 'foreign_topic'
  | 'subscription'
  /** More QoS 2 messages without PUBREL than a client may have. */
  | 'too_many_unreleased'
  /** Could not be made durable. */
  | 'unavailable'
  /** Unknown tenants used up the bucket that they share. */
  | 'unknown_tenant_limit'
  /** The envelope is larger than NATS takes. */
  | 'too_large'
  /** Any other refusal of intake. */
  | 'refused';

export type MqttOutcome = 'accepted' | 'duplicate' | 'failed' | 'refused';

/** What the listener counts. No tenant, device or client in any label. */
export interface MqttMetrics {
  connectionOpened(): void;
  connectionClosed(): void;
  /** `will` counts as its own level: nobody waits for an answer to it. */
  published(qos: 0 | 1 | 2 | 'will', outcome: MqttOutcome): void;
  refused(reason: MqttRefusal): void;
}

export function createMqttMetrics(registry: Registry): MqttMetrics {
  const registers = [registry];
  const connections = new Gauge({
    name: 'tributary_mqtt_connections',
    help: 'Open MQTT connections.',
    registers,
  });
  const publishes = new Counter({
    name: 'tributary_mqtt_publishes_total',
    help: 'MQTT publishes by quality of service (0, 1, 2, will) and outcome (accepted, duplicate, failed, refused).',
    labelNames: ['qos', 'outcome'] as const,
    registers,
  });
  const refusals = new Counter({
    name: 'tributary_mqtt_refused_total',
    help: 'Connections closed, CONNECTs, publishes and subscriptions refused by the MQTT listener, by reason.',
    labelNames: ['reason'] as const,
    registers,
  });
  return {
    connectionOpened: () => connections.inc(),
    connectionClosed: () => connections.dec(),
    published: (qos, outcome) => publishes.inc({ qos: String(qos), outcome }),
    refused: (reason) => refusals.inc({ reason }),
  };
}

import { Counter, Gauge, type Registry } from 'prom-client';
import { createTalliedCounter } from './tallied-counter.ts';

/** Why the listener closed a connection, or refused a CONNECT, a publish or a subscription. */
export const mqttRefusals = {
  too_many_connections: 'the listener holds as many as it may',
  connect_timeout: 'no CONNECT in time',
  receive_timeout: 'a packet was begun and not finished in time',
  receive_budget: 'half-received packets filled their budget, and this was the oldest',
  keepalive_timeout: 'nothing heard for one and a half keep-alive times',
  malformed: 'bytes that are not MQTT 3.1.1, or a packet out of its place',
  protocol_version: 'another version of MQTT',
  packet_too_large: 'a header announced more than is allowed',
  client_id: 'the client id is not allowed',
  bad_credentials: 'unknown device, wrong token, or credentials of another form',
  device_revoked: 'the device is revoked',
  anonymous: 'no credentials, and they are required',
  will_topic: 'the will’s topic is not the client’s own',
  bad_topic: 'not an ingest topic',
  foreign_topic: 'another device’s topic',
  subscription: 'a filter that the client may not have',
  slow_subscriber: 'more than 1 MiB waits for a subscriber that does not read',
  too_many_unreleased: 'more QoS 2 publishes without PUBREL than allowed',
  unavailable: 'the message could not be made durable',
  unknown_tenant_limit: 'unknown tenants used up the bucket that they share',
  too_large: 'the envelope is larger than NATS takes',
  refused: 'anything else that intake refused',
} as const;

export type MqttRefusal = keyof typeof mqttRefusals;

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
  const publishes = createTalliedCounter({
    name: 'tributary_mqtt_publishes_total',
    help: 'MQTT publishes by quality of service (0, 1, 2, will) and outcome (accepted, duplicate, failed, refused).',
    labelNames: ['qos', 'outcome'],
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
    published: (qos, outcome) => publishes.inc(String(qos), outcome),
    refused: (reason) => refusals.inc({ reason }),
  };
}

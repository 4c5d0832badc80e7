import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import type { IncomingMessage, Intake, IntakeResult } from '../../../src/intake/intake.ts';
import type { RegisteredDevice } from '../../../src/model/registry.ts';
import type { MqttMetrics } from '../../../src/observe/mqtt.ts';
import {
  type MqttSource,
  type MqttSourceOptions,
  startMqttSource,
} from '../../../src/sources/mqtt/mqtt-source.ts';
import { registeredDevice } from '../../harness/registered-device.ts';
import { RawClient } from './raw-client.ts';

/** Intake in the test's hand: each message waits until the test answers it, or is answered by `answer`. */
export class FakeIntake implements Intake {
  readonly messages: IncomingMessage[] = [];
  readonly #waiting: ((result: IntakeResult) => void)[] = [];
  answer: ((message: IncomingMessage) => IntakeResult) | undefined;

  accept(message: IncomingMessage): Promise<IntakeResult> {
    this.messages.push(message);
    const { answer } = this;
    if (answer !== undefined) return Promise.resolve(answer(message));
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Answers the oldest message that waits. */
  release(result: IntakeResult = stored): void {
    this.#waiting.shift()?.(result);
  }
}

export const stored: IntakeResult = {
  ok: true,
  seq: 1,
  duplicate: false,
  identified: { kind: 'fresh', identity: '0'.repeat(32), bodyHash: undefined },
  arrivedAtMs: Date.UTC(2026, 0, 1),
};
export const unavailable: IntakeResult = { ok: false, refusal: 'unavailable', retryAfterSeconds: 1 };

export class FakeRegistry {
  fresh = true;
  readonly devices = new Map<string, RegisteredDevice>();

  add(tenantId: string, deviceId: string, token: string, more: Partial<RegisteredDevice> = {}): void {
    this.devices.set(`${tenantId}/${deviceId}`, registeredDevice(tenantId, deviceId, token, more));
  }

  device(tenantId: string, deviceId: string): RegisteredDevice | undefined {
    return this.devices.get(`${tenantId}/${deviceId}`);
  }
}

/** Counts by `reason`, and by `qos outcome`. */
export class FakeMetrics implements MqttMetrics {
  connections = 0;
  readonly counts = new Map<string, number>();
  connectionOpened = () => void this.connections++;
  connectionClosed = () => void this.connections--;
  published = (qos: unknown, outcome: string) => this.#count(`${qos} ${outcome}`);
  refused = (reason: string) => this.#count(reason);
  #count(key: string): void {
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }
}

export interface TestListener extends AsyncDisposable {
  readonly port: number;
  readonly intake: FakeIntake;
  readonly registry: FakeRegistry;
  readonly metrics: FakeMetrics;
  readonly source: MqttSource;
  /** A connected MQTT.js client; it does not reconnect unless asked to. */
  client(options?: IClientOptions): Promise<MqttClient>;
  raw(): RawClient;
}

/** The listener on a free port, with `t1/d1` (token `secret`) and `t1/d2` (token `other`) registered. */
export async function startListener(
  overrides: Partial<MqttSourceOptions> & { answer?: FakeIntake['answer'] } = {},
): Promise<TestListener> {
  const { answer, limits, ...rest } = overrides;
  const intake = new FakeIntake();
  intake.answer = answer;
  const registry = new FakeRegistry();
  registry.add('t1', 'd1', 'secret');
  registry.add('t1', 'd2', 'other');
  const metrics = new FakeMetrics();
  const source = await startMqttSource({
    intake,
    registry,
    metrics,
    log: pino({ level: 'silent' }),
    clock: Date.now,
    now: () => performance.now(),
    random: Math.random,
    host: '127.0.0.1',
    port: 0,
    allowAnonymous: true,
    maxConnections: 1_000,
    maxPacketBytes: 256 * 1024,
    receiveTimeoutMs: 30_000,
    maxInFlight: 1_000,
    maxInFlightBytes: 16 * 1024 * 1024,
    ...rest,
    limits: { secondLookMs: 20, maxHoldMs: 20, drainTimeoutMs: 3_000, ...limits },
  });
  const closers: (() => void)[] = [];
  return {
    port: source.port,
    intake,
    registry,
    metrics,
    source,
    client: async (clientOptions) => {
      const client = await mqtt.connectAsync(`mqtt://127.0.0.1:${source.port}`, {
        reconnectPeriod: 0,
        ...clientOptions,
      });
      client.on('error', () => undefined);
      closers.push(() => client.end(true));
      return client;
    },
    raw: () => {
      const raw = new RawClient(source.port);
      closers.push(() => raw.socket.destroy());
      return raw;
    },
    [Symbol.asyncDispose]: async () => {
      for (const close of closers) close();
      await source.drain();
    },
  };
}

export const topicOfD1 = 'tenant/t1/device/d1/telemetry';
export const asD1: IClientOptions = { username: 't1/d1', password: 'secret' };

import { randomBytes } from 'node:crypto';
import pino from 'pino';
import type { IncomingMessage, IntakeResult } from '../../../../src/intake/intake.ts';
import type { BridgeOptions } from '../../../../src/sources/mqtt/bridge/bridge-contract.ts';
import { type BrokerOptions, startMqttBridge } from '../../../../src/sources/mqtt/bridge/mqtt-bridge.ts';

export const stored: IntakeResult = {
  ok: true,
  seq: 1,
  duplicate: false,
  identified: { kind: 'fresh', identity: '0'.repeat(32), bodyHash: undefined },
  arrivedAtMs: 0,
};
export const away: IntakeResult = { ok: false, refusal: 'unavailable', retryAfterSeconds: 1, detail: 'away' };

/** An intake whose answers the test gives, one for each try. */
export class AskedIntake {
  readonly messages: IncomingMessage[] = [];
  readonly #answers: ((result: IntakeResult) => void)[] = [];
  /** Undefined: the test answers by hand. */
  always: IntakeResult | undefined;

  accept(message: IncomingMessage): Promise<IntakeResult> {
    this.messages.push(message);
    if (this.always !== undefined) return Promise.resolve(this.always);
    return new Promise((resolve) => this.#answers.push(resolve));
  }

  /** Answers the nth try, from 0. */
  answer(index: number, result: IntakeResult = stored): void {
    this.#answers[index]?.(result);
  }
}

export interface Counts {
  subscribed: number;
  sessionsLost: number;
  settled: string[];
  redelivered: boolean[];
}

/** A bridge of one connection to this broker, with an intake that the test answers for. */
export function startBridged(
  broker: Partial<BrokerOptions> & Pick<BrokerOptions, 'url'>,
  more: Partial<BridgeOptions> = {},
) {
  const intake = new AskedIntake();
  const logged: Record<string, unknown>[] = [];
  const counts: Counts = { subscribed: 0, sessionsLost: 0, settled: [], redelivered: [] };
  const bridge = startMqttBridge({
    broker: {
      username: undefined,
      password: undefined,
      tls: { ca: undefined, cert: undefined, key: undefined },
      version: '5',
      filter: 'tenant/+/device/+/+',
      group: 'tributary',
      receiveMaximum: 10,
      sessionExpirySeconds: 3_600,
      ...broker,
    },
    clientIds: ['b-1'],
    retire: false,
    intake,
    metrics: {
      subscribed: () => {
        counts.subscribed += 1;
      },
      unsubscribed: () => {
        counts.subscribed -= 1;
      },
      sessionLost: () => {
        counts.sessionsLost += 1;
      },
      settled: (qos, outcome) => counts.settled.push(`${qos} ${outcome}`),
      redelivered: (inHand) => counts.redelivered.push(inHand),
      retried: () => undefined,
    },
    log: pino({ level: 'debug' }, { write: (line: string) => logged.push(JSON.parse(line)) }),
    clock: Date.now,
    random: Math.random,
    randomBytes,
    maxInFlight: 1_000,
    maxInFlightBytes: 1_000_000,
    tuning: { reconnectBaseMs: 10, reconnectMaxMs: 20, retryBaseMs: 5, retryMaxMs: 10, drainTimeoutMs: 500 },
    ...more,
  });
  return {
    intake,
    logged,
    counts,
    bridge,
    [Symbol.asyncDispose]: () => bridge.drain(),
  };
}

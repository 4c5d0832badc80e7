import { setMaxListeners } from 'node:events';
import { PublishWindow } from '../publish-window.ts';
import { type BridgeOptions, bridgeTuning, type MqttBridge } from './bridge-contract.ts';
import { BridgedSession } from './bridged-session.ts';
import { carry, type Letter } from './carry.ts';

export type { BridgeOptions, BrokerOptions, MqttBridge } from './bridge-contract.ts';

const droppedLogEveryMs = 60_000;

/**
 * Reads from a broker what devices publish there, and acknowledges it when JetStream has it. Starts without waiting for
 * the broker, and connects again for as long as it runs.
 */
export function startMqttBridge(options: BridgeOptions): MqttBridge {
  const { log, clientIds } = options;
  const tuning = { ...bridgeTuning, ...options.tuning };
  const stopping = new AbortController();
  // One for each message that waits for its next try.
  setMaxListeners(0, stopping.signal);
  const window = new PublishWindow({ maxMessages: options.maxInFlight, maxBytes: options.maxInFlightBytes });
  const held = createHeld(options);
  const onDropped = createDroppedLog(options);
  const shared = { ...options, retry: tuning, stop: stopping.signal };
  const sessions = clientIds.map(
    (clientId) =>
      new BridgedSession({
        ...options,
        clientId,
        tuning,
        window,
        onDropped,
        carry: (letter) => held.watch((onRefused) => carry(letter, { ...shared, onRefused })),
      }),
  );
  for (const session of sessions) session.start();
  return {
    get connections() {
      return sessions.filter(({ whyAway }) => whyAway === undefined).length;
    },
    get held() {
      return held.count();
    },
    retired: Promise.all(sessions.map(({ retired }) => retired)).then(() => undefined),
    whyAway: () => {
      const reasons = sessions.map(({ whyAway }) => whyAway);
      return reasons.includes(undefined) ? undefined : reasons[0];
    },
    drain: async () => {
      stopping.abort();
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, tuning.drainTimeoutMs);
      await Promise.all(sessions.map((session) => session.drain(promise)));
      clearTimeout(timer);
      log.info({ event: 'mqtt_bridge_left' }, 'left the broker; the sessions stay there');
    },
  };
}

/** Counts what JetStream does not take, and says so once when that begins and when it is over. */
function createHeld({ log, metrics }: BridgeOptions) {
  let count = 0;
  const begin = (detail: string) => {
    count += 1;
    if (count > 1) return;
    const about = { event: 'mqtt_bridge_holding', detail };
    log.warn(about, 'JetStream does not take it: the broker keeps what is not acknowledged');
  };
  const end = () => {
    count -= 1;
    if (count === 0) log.info({ event: 'mqtt_bridge_flowing' }, 'nothing is held back any more');
  };
  return {
    count: () => count,
    async watch<T>(work: (onRefused: (detail: string) => void) => Promise<T>): Promise<T> {
      let isHeld = false;
      try {
        return await work((detail) => {
          metrics.retried();
          if (!isHeld) begin(detail);
          isHeld = true;
        });
      } finally {
        if (isHeld) end();
      }
    },
  };
}

/** One line a minute for each reason: a broker may be full of what is none of ours. */
function createDroppedLog({ log, clock }: BridgeOptions): (letter: Letter, outcome: string) => void {
  const lastAtMs = new Map<string, number>();
  return ({ topic }, outcome) => {
    const nowMs = clock();
    if (nowMs - (lastAtMs.get(outcome) ?? Number.NEGATIVE_INFINITY) < droppedLogEveryMs) return;
    lastAtMs.set(outcome, nowMs);
    const about = { event: 'mqtt_bridge_dropped', outcome, topic: topic.slice(0, 300) };
    log.warn(about, 'messages that cannot be ingested are dropped; this is one of them');
  };
}

import type { MsgType } from '../../model/identifiers.ts';
import type { SimulatedDevice } from './fleet.ts';
import { measure } from './readings.ts';

/** What is unusual about a message, done on purpose so that its outcome can be foretold. */
export type Purpose = 'plain' | 'late' | 'duplicate' | 'wrong_token';

export interface ScriptedMessage {
  readonly device: SimulatedDevice;
  readonly msgType: MsgType;
  readonly purpose: Purpose;
  readonly token: string;
  /** The payload without the token, as JSON text. */
  readonly body: string;
}

/** Parts of all messages, each from 0 to 1. */
export interface Shares {
  readonly heartbeats: number;
  readonly late: number;
  readonly duplicates: number;
  readonly wrongTokens: number;
}

export const defaultShares: Shares = { heartbeats: 0.1, late: 0.02, duplicates: 0.01, wrongTokens: 0.005 };

export interface Script {
  next(nowMs: number): ScriptedMessage;
}

const lateMs = { least: 2 * 60_000, most: 45 * 60_000 };
const remembered = 256;

/**
 * Lets the devices speak in turn, in an order shuffled once, so that each has its steady interval. Every message
 * carries `ts` and `seq`: sent again, it is the same message.
 */
export function createScript(
  fleet: readonly SimulatedDevice[],
  shares: Shares,
  random: () => number,
): Script {
  const order = shuffle(fleet, random);
  const recent: ScriptedMessage[] = [];
  let turn = 0;
  return {
    next: (nowMs) => {
      if (recent.length > 0 && random() < shares.duplicates) {
        const again = recent[Math.floor(random() * recent.length)];
        if (again !== undefined) return { ...again, purpose: 'duplicate' };
      }
      const device = order[turn++ % order.length];
      if (device === undefined) throw new Error('a fleet has at least one device');
      const message = write(device, nowMs, shares, random);
      if (message.purpose !== 'wrong_token') {
        recent.push(message);
        if (recent.length > remembered) recent.shift();
      }
      return message;
    },
  };
}

function write(
  device: SimulatedDevice,
  nowMs: number,
  shares: Shares,
  random: () => number,
): ScriptedMessage {
  const msgType = random() < shares.heartbeats ? 'heartbeat' : 'telemetry';
  const late = random() < shares.late;
  const momentMs = late ? nowMs - Math.round(lateMs.least + random() * (lateMs.most - lateMs.least)) : nowMs;
  // A stranger over MQTT is turned away at CONNECT, before there is a message: HTTP shows more.
  const wrong = random() < shares.wrongTokens && device.way !== 'mqtt';
  device.seq += 1;
  const payload = {
    site_id: device.siteId,
    ts: new Date(momentMs).toISOString(),
    seq: device.seq,
    ...(msgType === 'telemetry' ? { metrics: measure(device, momentMs, random) } : {}),
  };
  return {
    device,
    msgType,
    purpose: wrong ? 'wrong_token' : late ? 'late' : 'plain',
    token: wrong ? `wrong-${Math.floor(random() * 1e9)}` : device.token,
    body: JSON.stringify(payload),
  };
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [shuffled[i], shuffled[j]];
    if (a === undefined || b === undefined) continue;
    shuffled[i] = b;
    shuffled[j] = a;
  }
  return shuffled;
}

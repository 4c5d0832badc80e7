import { identify } from '../../model/identity.ts';

/** A device that only exists in a stack of `prove`. */
export interface ProveDevice {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly siteId: string;
  readonly token: string;
}

export const doors = ['http', 'batch', 'mqtt'] as const;
export type Door = (typeof doors)[number];

/**
 * What makes two sends the same message: an idempotency key; `ts` and `seq`; key and `ts`; or nothing, then each send
 * is a message of its own.
 */
const messageClasses = ['key', 'ts_seq', 'key_ts', 'none'] as const;
export type MessageClass = (typeof messageClasses)[number];

/** Where the message has to end. */
export type Destiny = 'stored' | 'TOKEN_INVALID' | 'UNREGISTERED_DEVICE';

export interface ProveMessage {
  /** Unique in the run and part of the metrics: rows are recognised by it, whatever their identity says. */
  readonly n: number;
  readonly door: Door;
  readonly class: MessageClass;
  readonly device: ProveDevice;
  /** The one it is sent with. */
  readonly token: string;
  readonly msgType: 'telemetry' | 'heartbeat';
  readonly key: string | undefined;
  readonly ts: number | undefined;
  readonly seq: number | undefined;
  readonly metrics: Readonly<Record<string, number | string | boolean>>;
  readonly destiny: Destiny;
}

export interface MessagesOptions {
  readonly count: number;
  readonly firstN: number;
  readonly devices: readonly ProveDevice[];
  readonly random: () => number;
  /** Milliseconds since the epoch; what devices give as `ts` lies shortly before. */
  readonly nowMs: number;
  /** What it is sent by. */
  readonly doors: readonly Door[];
  /** Metrics of 1,000 characters that make messages longer. */
  readonly padding: number;
  /** Keeps the keys of one run from those of another. */
  readonly runId: string;
}

const shares = { wrongToken: 0.03, unknownDevice: 0.02, withoutIdentity: 0.1, heartbeat: 0.1 } as const;

/** The messages of one trial, in the order in which they are sent. The same random numbers give the same messages. */
export function makeMessages(options: MessagesOptions): ProveMessage[] {
  return Array.from({ length: options.count }, (_, index) => makeMessage(options.firstN + index, options));
}

function makeMessage(n: number, options: MessagesOptions): ProveMessage {
  const { random, devices } = options;
  const registered = pick(devices, random);
  const roll = random();
  const isStranger = roll < shares.unknownDevice;
  const hasWrongToken = !isStranger && roll < shares.unknownDevice + shares.wrongToken;
  const device = isStranger ? { ...registered, deviceId: `nobody-${n % 7}` } : registered;
  const messageClass = random() < shares.withoutIdentity ? 'none' : pick(messageClasses.slice(0, 3), random);
  const hasTs = messageClass === 'ts_seq' || messageClass === 'key_ts';
  return {
    n,
    door: pick(options.doors, random),
    class: messageClass,
    device,
    token: hasWrongToken ? `${device.token}-not` : device.token,
    msgType: random() < shares.heartbeat ? 'heartbeat' : 'telemetry',
    key: messageClass.startsWith('key') ? `${options.runId}-${n}` : undefined,
    ts: hasTs ? options.nowMs - Math.floor(random() * 60_000) : undefined,
    seq: messageClass === 'ts_seq' ? n : undefined,
    metrics: {
      n,
      level: Math.round(random() * 1e6) / 1e3,
      state: pick(['idle', 'busy', 'ärgerlich'], random),
      open: random() < 0.5,
      ...Object.fromEntries(
        Array.from({ length: options.padding }, (_, index) => [`padding_${index}`, 'x'.repeat(1_000)]),
      ),
    },
    destiny: isStranger ? 'UNREGISTERED_DEVICE' : hasWrongToken ? 'TOKEN_INVALID' : 'stored',
  };
}

export function pick<T>(from: readonly T[], random: () => number): T {
  const picked = from[Math.floor(random() * from.length)];
  if (picked === undefined) throw new Error('nothing to pick from');
  return picked;
}

/** What has no column of its own, and is to be kept as it is all the same. */
export function extraOf({ n }: ProveMessage): Record<string, unknown> {
  return { firmware: `r${n}`, tags: [n % 5, null, { ärger: 'keiner' }] };
}

/** The members that are the message's own, whatever the door. */
export function bodyOf(message: ProveMessage): Record<string, unknown> {
  const { device, metrics, ts, seq } = message;
  return {
    site_id: device.siteId,
    metrics,
    ...extraOf(message),
    ...(ts === undefined ? {} : { ts }),
    ...(seq === undefined ? {} : { seq }),
  };
}

/** The identity that the product has to give it, as 32 hex digits; undefined for the class without one. */
export function identityOf(message: ProveMessage): string | undefined {
  if (message.class === 'none') return undefined;
  const payload = bodyOf(message);
  const { identity } = identify({
    tenantId: message.device.tenantId,
    deviceId: message.device.deviceId,
    msgType: message.msgType,
    token: message.token,
    idempotencyKey: message.key,
    payload,
    payloadText: JSON.stringify(payload),
    randomBytes: (size) => new Uint8Array(size),
  });
  return identity;
}

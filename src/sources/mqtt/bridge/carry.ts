import type { FirstTry, Intake, IntakeResult } from '../../../intake/intake.ts';
import { backoffMs } from '../../../lib/backoff.ts';
import type { BridgeOutcome } from '../../../observe/mqtt-bridge.ts';
import { readPayload } from '../payload.ts';
import { type IngestTopic, parseIngestTopic } from '../topics.ts';
import type { BridgeOptions, BridgeTuning } from './bridge-contract.ts';

export interface Letter {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** A user property of MQTT 5. */
  readonly traceparent?: string | undefined;
}

export interface CarryOptions
  extends Pick<BridgeOptions, 'intake' | 'clock' | 'random' | 'randomBytes' | 'tracing'> {
  readonly retry: Pick<BridgeTuning, 'retryBaseMs' | 'retryMaxMs'>;
  /** JetStream does not take it; why, for the log. Called before each wait. */
  readonly onRefused: (detail: string) => void;
  /** Aborted: give up what JetStream does not take. */
  readonly stop: AbortSignal;
}

/**
 * Takes one message to JetStream, however long that takes: the broker keeps it meanwhile. Resolves to what became of it,
 * and then it may be acknowledged; undefined when it was given up, and may not.
 */
export async function carry(letter: Letter, options: CarryOptions): Promise<BridgeOutcome | undefined> {
  const topic = parseIngestTopic(letter.topic);
  if (topic === undefined) return 'bad_topic';
  const { intake, clock, randomBytes, random, retry, stop, tracing } = options;
  const message = messageOf(topic, letter, { identity: randomBytes(16), arrivedAtMs: clock() });
  const waits = { baseMs: retry.retryBaseMs, maxMs: retry.retryMaxMs };
  for (let attempt = 0; ; attempt += 1) {
    const result = await intake.accept({ ...message, trace: tracing?.begin(letter.traceparent) });
    const outcome = outcomeOf(result, attempt);
    if (outcome !== undefined) return outcome;
    if (stop.aborted) return undefined;
    options.onRefused(result.ok ? '' : (result.detail ?? result.refusal));
    // Never at once, however the dice fall.
    await unlessAborted(retry.retryBaseMs / 2 + backoffMs(attempt, waits, random), stop);
  }
}

function messageOf(topic: IngestTopic, { payload: bytes }: Letter, firstTry: FirstTry) {
  const { payloadText, payload, payloadBase64, token } = readPayload(bytes, undefined);
  const message = {
    source: 'mqtt-bridge',
    tenantId: topic.tenantId,
    deviceId: topic.deviceId,
    msgType: topic.msgType,
    // Brokers do not say who published.
    username: '',
    token,
    idempotencyKey: undefined,
    payloadText,
    payload,
    firstTry,
  } as const satisfies Parameters<Intake['accept']>[0];
  return payloadBase64 === undefined ? message : { ...message, payloadBase64 };
}

/** Undefined: to be tried again. */
function outcomeOf(result: IntakeResult, attempt: number): BridgeOutcome | undefined {
  if (result.ok) return result.duplicate && attempt === 0 ? 'duplicate' : 'accepted';
  switch (result.refusal) {
    case 'unavailable':
      return undefined;
    case 'unknown_tenant_limit':
    case 'too_large':
      return result.refusal;
    default:
      return 'refused';
  }
}

function unlessAborted(delayMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    stop.addEventListener('abort', done);
  });
}

import { STATUS_CODES } from 'node:http';
import pino from 'pino';
import { Registry } from 'prom-client';
import type { IncomingMessage, Intake, IntakeResult } from '../../../src/intake/intake.ts';
import { type RefusalCode, refusals } from '../../../src/model/errors.ts';
import { createHttpMetrics } from '../../../src/observe/http.ts';
import { type HttpSourceOptions, startHttpSource } from '../../../src/sources/http/http-source.ts';
import { createOperatorAuth } from '../../../src/sources/http/operator-auth.ts';

export interface Door {
  readonly port: number;
  readonly url: string;
  /** What reached intake, in order. */
  readonly taken: IncomingMessage[];
  /** Lines that were logged, parsed. */
  readonly logged: Record<string, unknown>[];
  readonly registry: Registry;
  post(path: string, body: string | Uint8Array, headers?: Record<string, string>): Promise<Response>;
  drain(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const storedResult: IntakeResult = {
  ok: true,
  seq: 1,
  duplicate: false,
  identified: { kind: 'fresh', identity: '0'.repeat(32), bodyHash: undefined },
  arrivedAtMs: Date.UTC(2026, 0, 1),
};
export const devicePath = '/ingest/v1/tenant/t1/device/d1/telemetry';
export const token = { 'X-Provision-Token': 'tok' };

/** A door with an intake that records what it is given and answers what the test says. */
export function openDoor(
  answer: (message: IncomingMessage) => IntakeResult | Promise<IntakeResult> = () => storedResult,
  overrides: Partial<HttpSourceOptions> = {},
): Door {
  const taken: IncomingMessage[] = [];
  const logged: Record<string, unknown>[] = [];
  const intake: Intake = {
    accept: async (message) => {
      taken.push(message);
      return answer(message);
    },
  };
  const registry = new Registry();
  const now = () => performance.now();
  const source = startHttpSource({
    intake,
    receipts: {
      book: undefined,
      streamLife: () => 0,
      find: async () => [],
      deliveries: async () => [],
      waits: () => undefined,
      retentionMs: 400 * 86_400_000,
    },
    bind: '127.0.0.1',
    port: 0,
    reusePort: false,
    maxBodyBytes: 256 * 1024,
    maxBatchBytes: 1024 * 1024,
    maxReceivingBytes: 64 * 1024 * 1024,
    receiveTimeoutMs: 30_000,
    answerTimeoutMs: 2_000,
    httpMetrics: createHttpMetrics(registry),
    log: pino({}, { write: (line: string) => logged.push(JSON.parse(line)) }),
    now,
    isReady: async () => true,
    durability: () => undefined,
    flow: () => ({
      flowing: true,
      doorToRowMs: undefined,
      lastSettledAtMs: undefined,
      backlog: undefined,
      durability: undefined,
      unaccounted: undefined,
      problems: [],
    }),
    metrics: async () => ({ text: await registry.metrics(), contentType: registry.contentType }),
    operatorAuth: createOperatorAuth({ find: async () => undefined, now }),
    askWorkers: async () => [],
    wallClock: () => Date.UTC(2026, 0, 1),
    ...overrides,
  });
  const url = `http://127.0.0.1:${source.port}`;
  return {
    port: source.port,
    url,
    taken,
    logged,
    registry,
    post: (path, body, headers = token) => fetch(url + path, { method: 'POST', body, headers }),
    drain: source.drain,
    [Symbol.asyncDispose]: source.drain,
  };
}

/** Asserts nothing: what an answer says, in one value to compare. */
export async function told(response: Promise<Response>) {
  const answer = await response;
  return {
    status: answer.status,
    type: answer.headers.get('Content-Type'),
    body: (await answer.json()) as Record<string, unknown>,
  };
}

/** The answer that a refusal must give. */
export function refusal(code: RefusalCode, detail: string = refusals[code].detail) {
  const { status } = refusals[code];
  const type = `urn:tributary:problem:${code.replaceAll('_', '-')}`;
  const title = STATUS_CODES[status];
  return { status, type: 'application/problem+json', body: { type, title, status, detail } };
}

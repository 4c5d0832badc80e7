import type pg from 'pg';
import pino from 'pino';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import type { RegistryView } from '../../src/model/registry.ts';
import type { Reading, Verdict } from '../../src/model/verdict.ts';
import { createPartitions } from '../../src/store/partitions.ts';
import { openEpoch } from '../../src/store/statements/open-epoch.ts';
import type { PulledMessage } from '../../src/stream/puller.ts';
import type { Decoded } from '../../src/worker/decoded.ts';
import { createEpochs } from '../../src/worker/epochs.ts';
import { latestAtOnce } from '../../src/worker/latest/latest-values.ts';
import { type Plan, planEntries } from '../../src/worker/plan.ts';
import { createQuarantineRoom } from '../../src/worker/quarantine-room.ts';
import { createRateLimiter } from '../../src/worker/rate-limiter.ts';
import {
  createSettle,
  OtherEpochError,
  type Settle,
  type Settled,
  type SettleOptions,
} from '../../src/worker/settle.ts';
import { deviceOf } from './messages.ts';

/** A message with its decoded form and verdict written down, to test settling apart from judging. */
export interface Script {
  readonly seq: number;
  readonly timestampNs?: bigint;
  readonly device?: string;
  readonly identity?: string;
  readonly key?: { readonly identity: string; readonly bodyHash: string };
  readonly timeUs?: number;
  readonly arrivedAtMs?: number;
  readonly deviceSeq?: number;
  readonly metrics?: Record<string, unknown>;
  /** Where the text differs from the metrics printed: what the database cannot take. */
  readonly metricsText?: string;
  readonly extraText?: string;
  readonly verdict?: Verdict;
  readonly subject?: string;
}

export const hex = (n: number) => n.toString(16).padStart(32, '0');
const baseMs = Date.UTC(2026, 5, 1);

export interface ScriptedMessage extends PulledMessage {
  readonly said: string[];
}

export function scripted(script: Script): { message: ScriptedMessage; decoded: Decoded; verdict: Verdict } {
  const said: string[] = [];
  const message: ScriptedMessage = {
    seq: script.seq,
    timestampNs: script.timestampNs ?? BigInt(baseMs) * 1_000_000n + BigInt(script.seq),
    subject: script.subject ?? 'telemetry.acme',
    data: Buffer.from(`{"payload":{"provision_token":"secret-${script.seq}"}}`),
    msgId: undefined,
    streamCreated: '2026-01-01T00:00:00Z',
    deliveryCount: 1,
    said,
    ack: () => said.push('ack'),
    nak: () => said.push('nak'),
    working: () => said.push('working'),
  };
  const metrics = script.metrics ?? { n: script.seq };
  const reading: Reading = {
    tenantId: 'acme' as TenantId,
    deviceId: (script.device ?? 'd1') as DeviceId,
    siteId: 's1',
    msgType: 'telemetry',
    timeUs: script.timeUs ?? (baseMs + script.seq) * 1_000,
    arrivedAtMs: script.arrivedAtMs ?? baseMs + script.seq,
    seq: script.deviceSeq,
    metricsText: script.metricsText ?? JSON.stringify(metrics),
    metrics,
    extraText: script.extraText,
  };
  const decoded: Decoded = {
    raw: message,
    tenantId: reading.tenantId,
    deviceId: reading.deviceId,
    msgType: 'telemetry',
    arrivedAtMs: reading.arrivedAtMs,
    identity:
      script.key === undefined
        ? { kind: 'content', identity: script.identity ?? hex(script.seq), bodyHash: hex(0) }
        : { kind: 'key', ...script.key },
    tokenSha256: undefined,
    result: { form: 'reading', reading },
  };
  return { message, decoded, verdict: script.verdict ?? { outcome: 'accept', reading, device: deviceOf() } };
}

export interface Settling {
  readonly settle: Settle;
  readonly epoch: number;
  plan(scripts: readonly Script[]): Plan & { readonly messages: ScriptedMessage[] };
  run(scripts: readonly Script[]): Promise<string[]>;
}

const noRegistry: RegistryView & { refresh(): Promise<void> } = {
  version: Number.MAX_SAFE_INTEGER,
  device: () => undefined,
  tenant: () => undefined,
  refresh: async () => {},
};

const noLimits = {
  tenant: { rows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
  unknown: { rows: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
};

/** A settle over a database, its messages scripted. Partitions are made for every time asked. */
export async function createSettling(
  pool: pg.Pool,
  overrides: Partial<SettleOptions> = {},
): Promise<Settling> {
  const [opened] = await openEpoch(pool, 'TELEMETRY', `2026-01-01T00:00:00Z`);
  if (opened === undefined) throw new Error('no epoch was opened');
  const { epoch } = opened;
  const verdicts = new Map<Decoded, Verdict>();
  const settle = createSettle({
    pool,
    registry: noRegistry,
    judge: (decoded) => verdicts.get(decoded) ?? { outcome: 'internal' },
    limiter: createRateLimiter({
      device: { ratePerSecond: 1e6, burst: 1e8 },
      tenant: { ratePerSecond: 1e6, burst: 1e8 },
    }),
    partitions: createPartitions({ pool, log: pino({ level: 'silent' }), clock: Date.now }),
    thresholds: { staleAfterMs: 300_000, offlineAfterMs: 1_800_000 },
    latest: latestAtOnce(100),
    room: createQuarantineRoom(noLimits, () => 0),
    ledgerShard: 0,
    ...overrides,
  });
  const plan = (scripts: readonly Script[]) => {
    const made = scripts.map(scripted);
    for (const { decoded, verdict } of made) verdicts.set(decoded, verdict);
    const entries = made.map(({ message, decoded }) => ({
      message,
      decoded,
      charged: undefined,
      refused: undefined,
    }));
    return { epoch, entries, messages: made.map(({ message }) => message) };
  };
  const epochs = createEpochs(pool, 'TELEMETRY');
  const settleAll = async (part: Plan): Promise<Settled[]> => {
    try {
      return await settle(part);
    } catch (error) {
      if (!(error instanceof OtherEpochError)) throw error;
      await epochs.corrected(error.epoch, error.messages);
      const settled: Settled[] = [];
      for (const again of await planEntries(part.entries, epochs.of))
        settled.push(...(await settleAll(again)));
      return settled;
    }
  };
  return {
    settle,
    epoch,
    plan,
    run: async (scripts) => {
      const settled: Settled[] = [];
      const { entries } = plan(scripts);
      for (const part of await planEntries(entries, epochs.of)) settled.push(...(await settleAll(part)));
      return entries.map((entry) => settled.find((each) => each.entry === entry)?.outcome ?? 'no outcome');
    },
  };
}

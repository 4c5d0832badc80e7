import type { LatencySummary } from '../measure/histogram.ts';
import type { FleetSpec } from './fleet.ts';

/** Where and how messages go in. */
export type Door =
  | {
      readonly kind: 'single';
      readonly port: number;
      readonly connections: number;
      /** Hold the answers until the messages are settled: only 201 counts as accepted. */
      readonly waitSeconds?: number;
    }
  | {
      readonly kind: 'batch';
      readonly port: number;
      readonly connections: number;
      readonly batchSize: number;
    }
  | {
      readonly kind: 'mqtt';
      readonly port: number;
      readonly connections: number;
      /** Publishes of one connection without their PUBACK. */
      readonly window: number;
    }
  | { readonly kind: 'stream'; readonly port: number; readonly window: number };

/** What a load process is told, as JSON on its command line. */
export interface LoadSpec {
  readonly door: Door;
  readonly fleet: FleetSpec;
  /** Closed: as fast as answers come. Open: at a fixed rate of messages per second. Count: so many, then the end. */
  readonly pace:
    | { readonly kind: 'closed' }
    | { readonly kind: 'open'; readonly messagesPerSecond: number }
    | { readonly kind: 'count'; readonly messages: number };
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Tell what happened in each such part of the measured time, too. */
  readonly intervalMs?: number;
}

/** What fell into one part of the measured time. */
export interface LoadInterval {
  readonly accepted: number;
  readonly failed: number;
  readonly latency: LatencySummary;
}

export interface LoadResult {
  readonly accepted: number;
  readonly failed: number;
  /** Per second of the measured time: what was answered in it, or, with an open pace, what fell due in it. */
  readonly acceptedPerSecond: number;
  readonly elapsedMs: number;
  /** From the intended send time with an open pace; from the send itself otherwise. Per request. */
  readonly latency: LatencySummary;
  /** Open pace: how late sends began. */
  readonly lateness: LatencySummary;
  /** Open pace: requests without an answer when the time was over. */
  readonly openAtEnd: number;
  /** The load process's own processor time in the measured time, as a share of one core. */
  readonly loadCpuShare: number;
  /** The first failures, in words. */
  readonly failures: readonly string[];
}

/** Lines that a load process prints, each a JSON object. */
export type LoadEvent =
  | { readonly event: 'measuring' }
  | { readonly event: 'measured' }
  | { readonly event: 'interval'; readonly interval: LoadInterval }
  | { readonly event: 'result'; readonly result: LoadResult };

import { randomInt } from 'node:crypto';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../../config/settings.ts';
import type { Tracer } from '../../observe/tracer.ts';
import { createPartitions } from '../../store/partitions.ts';
import type { RegistryFeed } from '../../store/registry-feed.ts';
import { ledgerShards } from '../../store/statements/add-to-ledger.ts';
import { streamName } from '../../stream/subjects.ts';
import { decode } from '../../worker/decode.ts';
import { createEpochs } from '../../worker/epochs.ts';
import { judge } from '../../worker/judge/judge.ts';
import type { LatestValues } from '../../worker/latest/latest-values.ts';
import { createPlans, planEntries } from '../../worker/plan.ts';
import { createQuarantineRoom } from '../../worker/quarantine-room.ts';
import type { RateLimiter } from '../../worker/rate-limiter.ts';
import type { Routing } from '../../worker/routing/routing.ts';
import { createSettle } from '../../worker/settle.ts';
import type { SettleLoopOptions } from '../../worker/settle-loop.ts';
import { createSettleTrace } from '../../worker/trace-settling.ts';
import { decodeOptionsOf } from './decode-options.ts';
import { quarantineLimits } from './quarantine-limits.ts';

export interface SettleStepsOptions {
  readonly config: Config;
  readonly pool: pg.Pool;
  readonly registry: RegistryFeed;
  readonly limiter: RateLimiter;
  readonly latest: LatestValues;
  readonly routing: Routing;
  /** Undefined: nothing is traced. */
  readonly tracer: Tracer | undefined;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** How messages are planned and settled, by this installation's settings. */
export function createSettleSteps(
  options: SettleStepsOptions,
): Pick<SettleLoopOptions, 'plan' | 'replan' | 'settle'> {
  const { config, pool, registry, limiter, latest, routing, log, now } = options;
  const trace = options.tracer === undefined ? undefined : createSettleTrace(options.tracer);
  const decodeOptions = decodeOptionsOf(config);
  const epochs = createEpochs(pool, streamName);
  const settle = createSettle({
    pool,
    registry,
    judge,
    limiter,
    partitions: createPartitions({ pool, log, clock: now }),
    thresholds: { staleAfterMs: config.staleAfterMs, offlineAfterMs: config.offlineAfterMs },
    latest,
    room: createQuarantineRoom(quarantineLimits(config), now),
    ledgerShard: randomInt(ledgerShards),
    routing,
    aroundInsert: trace?.aroundInsert,
  });
  return {
    plan: (messages) => createPlans(messages, (message) => decode(message, decodeOptions), epochs.of),
    replan: async (plan, { epoch, messages }) => {
      log.warn(
        { event: 'stream_restored', epoch, messages: messages.length, firstSeq: messages[0]?.seq },
        'the stream gives old numbers to new messages: they are settled in an epoch of their own',
      );
      await epochs.corrected(epoch, messages);
      return planEntries(plan.entries, epochs.of);
    },
    settle: trace === undefined ? settle : trace.traced(settle),
  };
}

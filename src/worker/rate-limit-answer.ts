import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { rateLimitsSubject } from '../stream/subjects.ts';
import type { RateLimiter, RateLimitStats } from './rate-limiter.ts';

/** One worker's answer on `tributary.workers.rate-limits`, as JSON. Documented in docs/reference/rate-limits.md. */
export interface RateLimitAnswer {
  readonly worker_id: string;
  readonly stats: {
    readonly accepted: number;
    readonly limited: number;
    readonly limited_by: { readonly device: number; readonly tenant: number };
    readonly windows: { readonly device: number; readonly tenant: number };
    readonly top_limited: readonly {
      readonly tenant_id: string;
      readonly device_id: string;
      readonly limited: number;
    }[];
  };
}

function rateLimitAnswer(workerId: string, stats: RateLimitStats): RateLimitAnswer {
  return {
    worker_id: workerId,
    stats: {
      accepted: stats.accepted,
      limited: stats.limited,
      limited_by: stats.limitedBy,
      windows: stats.windows,
      top_limited: stats.topLimited.map(({ tenantId, deviceId, limited }) => ({
        tenant_id: tenantId,
        device_id: deviceId,
        limited,
      })),
    },
  };
}

export interface RateLimitAnswerOptions {
  readonly nc: NatsConnection;
  readonly limiter: Pick<RateLimiter, 'snapshot'>;
  readonly workerId: string;
  readonly log: Logger;
}

/** Answers whoever asks for the rate limiter's state. No queue group: every live worker answers. */
export function startRateLimitAnswer(options: RateLimitAnswerOptions): { drain(): Promise<void> } {
  const { nc, limiter, workerId, log } = options;
  const subscription = nc.subscribe(rateLimitsSubject, {
    callback: (error, question) => {
      if (error !== null) log.warn({ err: error }, 'questions for the rate limits are not received');
      else question.respond(JSON.stringify(rateLimitAnswer(workerId, limiter.snapshot())));
    },
  });
  return {
    async drain() {
      if (!nc.isClosed() && !nc.isDraining()) await subscription.drain();
    },
  };
}

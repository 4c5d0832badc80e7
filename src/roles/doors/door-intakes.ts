import { randomBytes } from 'node:crypto';
import { createAdmission } from '../../intake/admission.ts';
import { createIntake, type Intake } from '../../intake/intake.ts';
import { createRandomPool } from '../../lib/random-pool.ts';
import type { IntakeMetrics } from '../../observe/intake.ts';
import type { Tracer } from '../../observe/tracer.ts';
import type { RegistryFeed } from '../../store/registry-feed.ts';
import { retryAfterSeconds } from '../../stream/retry-after.ts';
import type { Backbone, BackboneOptions } from './backbone.ts';

/**
 * A door's intake before it has reached NATS, and from then on. One admission for both: the bucket of the unknown does not
 * fill up again when NATS comes.
 */
export function createDoorIntakes(
  options: Omit<BackboneOptions, 'nc'> & { readonly syncAuth: boolean },
  registry: RegistryFeed,
  { metrics, tracer }: { readonly metrics: IntakeMetrics; readonly tracer: Tracer | undefined },
) {
  const { config, log, now, wallClock, random } = options;
  const admission = createAdmission({
    registry,
    syncAuth: options.syncAuth,
    unknownTenantRate: config.unknownTenantRate,
    unknownTenantBurst: config.unknownTenantBurst,
    now,
    wallClock,
    random,
  });
  const startedAtMs = now();
  const withoutNats: Intake = {
    accept: async ({ source, tenantId }) => {
      metrics.answered(source, 'unavailable', tenantId);
      const disconnectedForMs = now() - startedAtMs;
      const seconds = retryAfterSeconds({
        why: 'disconnected',
        backlog: undefined,
        disconnectedForMs,
        random,
      });
      return { ok: false, refusal: 'unavailable', retryAfterSeconds: seconds, detail: 'disconnected' };
    },
  };
  return {
    withoutNats,
    with: ({ publisher, backlog }: Backbone): Intake =>
      createIntake({
        publisher,
        admission,
        backlog,
        clock: wallClock,
        random,
        randomBytes: createRandomPool(randomBytes),
        log,
        metrics,
        tracer,
      }),
  };
}

import type { NatsConnection } from '@nats-io/nats-core';
import type { Config } from '../../config/settings.ts';
import { createPullerMetrics } from '../../observe/puller.ts';
import { type Puller, type PullerOptions, startPuller } from '../../stream/puller.ts';
import { createServerWatch } from '../../stream/server-watch.ts';
import type { RoleInstruments } from '../process/role-deps.ts';
import { requireNatsUrl } from './addresses.ts';
import { prepareTopology } from './role-topology.ts';

/** What a role takes its work from. */
export interface WorkQueue {
  readonly stream: string;
  readonly consumer: string;
}

export interface RolePullerOptions extends RoleInstruments {
  readonly nc: NatsConnection;
  readonly config: Config;
  readonly queue: WorkQueue;
}

/** Pulls a role's work; makes the stream and the consumer anew where they are missing. */
export function startRolePuller(
  { nc, config, queue, metrics, log, now, random }: RolePullerOptions,
  batches: Pick<PullerOptions, 'batchSize' | 'lingerMs' | 'maxBuffered'>,
): Puller {
  return startPuller({
    nc,
    ...queue,
    ...batches,
    log,
    onMissing: async () => void (await prepareTopology(nc, config, log)),
    server: createServerWatch({ nc, url: requireNatsUrl(config), log, clock: now }),
    metrics: createPullerMetrics(metrics),
    clock: now,
    random,
  });
}

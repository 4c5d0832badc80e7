import type { Config } from '../../config/settings.ts';

/** A worker and its share of PostgreSQL fill two cores before one gateway has filled one. */
const coresPerWorker = 2;
const coresPerGateway = 4;

/**
 * The configuration with as many gateways and workers as the machine has room for, where it does not say how many.
 * Fewer than cores: every process that is added takes its part of the time from the ones that are there.
 *
 * @param cores that this process may use
 */
export function withProcessCounts(config: Config, cores: number): Config {
  return {
    ...config,
    gateways: config.gateways || Math.max(1, Math.floor(cores / coresPerGateway)),
    workers: config.workers || Math.max(1, Math.floor(cores / coresPerWorker)),
  };
}

import { type TopologyOptions, topologyDefaults } from './topology-definitions.ts';

/*
 * Why the server's limits lie above the configured ones, and the doors keep to the configured ones (`stream/room.ts`).
 *
 * A nats-server (2.9.10, measured) that is killed comes back with messages whose acks had reached its disk and whose
 * removals had not. Where that puts the stream over a limit, it deletes the *oldest* messages to get below, although
 * the stream discards new ones: accepted and not settled, gone. With room for what comes back, nothing is deleted.
 */
const share = 0.25;
const leastBytes = 64 * 1024 ** 2;
const leastMessages = 50_000;

/** The limits that the server gets. */
export function withHeadroom<T extends TopologyOptions>(options: T): T {
  const { streamMaxBytes, streamMaxPerTenant, routesMaxBytes = topologyDefaults.routesMaxBytes } = options;
  return {
    ...options,
    streamMaxBytes: plus(streamMaxBytes, leastBytes),
    streamMaxPerTenant: plus(streamMaxPerTenant, leastMessages),
    routesMaxBytes: plus(routesMaxBytes, leastBytes),
  };
}

function plus(limit: number, least: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, limit + Math.max(least, Math.ceil(limit * share)));
}

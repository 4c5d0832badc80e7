import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { canCluster, oldestForClusters } from '../../stream/durability.ts';
import { withHeadroom } from '../../stream/headroom.ts';
import { ensureTopology, type TopologyOptions, type TopologyReport } from '../../stream/topology.ts';

/**
 * Makes the streams and consumers that are missing and logs how those that are there differ from what is wanted.
 * Never throws: what cannot be made is logged, and shows in every answer that needs it.
 *
 * @returns whether everything is there
 */
export async function prepareTopology(
  nc: NatsConnection,
  options: TopologyOptions,
  log: Logger,
): Promise<boolean> {
  const version = nc.info?.version ?? 'unknown';
  if (options.streamReplicas > 1 && !canCluster(version)) {
    log.warn(
      { event: 'cluster_too_old', version },
      `nats-server ${version} does not keep replicas the same: run ${oldestForClusters} or newer in a cluster (docs/cluster.md)`,
    );
  }
  let report: TopologyReport;
  try {
    report = await ensureTopology(nc, withHeadroom(options));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    log.error({ event: 'topology_failed' }, message);
    return false;
  }
  for (const { name, state, differences } of [...report.streams, ...report.consumers]) {
    if (state === 'created') log.info({ event: 'topology_created', name }, `made ${name}`);
    if (state === 'differs') {
      const how = differences.join('; ');
      log.warn({ event: 'topology_differs', name, differences }, `${name} is not as configured: ${how}`);
    }
  }
  return true;
}

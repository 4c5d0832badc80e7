import type pg from 'pg';
import type { TenantId } from '../../model/identifiers.ts';
import type { Destination } from '../../model/route-destination.ts';
import { routeJobId } from '../../model/route-job.ts';
import { type RouteSecrets, sealRouteSecrets } from '../../model/route-secrets.ts';
import { addRoute } from '../../store/registry/add-route.ts';
import type { StoredRow } from '../check/rows.ts';
import { secretsKey } from '../stack/settings.ts';
import { signedPath, signingSecret } from './receiver.ts';

/** A route of a trial, and what it has to match, said once more in another language than the product's. */
export interface ProveRoute {
  readonly routeId: number;
  readonly tenantId: string;
  readonly matches: (row: StoredRow) => boolean;
}

interface Kind {
  readonly name: string;
  readonly to: (receiverUrl: string) => Destination;
  readonly secrets?: RouteSecrets;
  readonly condition: string | undefined;
  readonly matches: (metrics: Readonly<Record<string, unknown>>, row: StoredRow) => boolean;
}

const kinds: readonly Kind[] = [
  {
    name: 'all',
    to: webhook(signedPath),
    secrets: { signing_secrets: [signingSecret] },
    condition: undefined,
    matches: () => true,
  },
  {
    name: 'flaky',
    to: webhook('/flaky'),
    condition: 'metrics.level > 500.0 && metrics.open && msg_type == "telemetry"',
    matches: ({ level, open }, { msgType }) =>
      Number(level) > 500 && open === true && msgType === 'telemetry',
  },
  {
    name: 'refused',
    to: webhook('/refused'),
    condition: 'metrics.level > 900.0',
    matches: ({ level }) => Number(level) > 900,
  },
  {
    name: 'stream',
    to: () => ({ kind: 'nats', subject: 'out.{tenant_id}.{device_id}.{msg_type}' }),
    condition: 'metrics.level < 400.0 || msg_type == "heartbeat"',
    matches: ({ level }, { msgType }) => Number(level) < 400 || msgType === 'heartbeat',
  },
];

function webhook(path: string): Kind['to'] {
  return (receiverUrl) => ({ kind: 'webhook', url: `${receiverUrl}${path}` });
}

/** Routes of each tenant: a signed webhook, two that are not, and a stream. None has a cap that a trial could reach. */
export async function registerRoutes(
  pool: pg.Pool,
  tenantIds: readonly string[],
  receiverUrl: string,
): Promise<ProveRoute[]> {
  const routes: ProveRoute[] = [];
  for (const tenantId of tenantIds) {
    for (const { name, to, secrets, condition, matches } of kinds) {
      const { routeId } = await addRoute(
        pool,
        {
          tenantId: tenantId as TenantId,
          name,
          topicFilter: '#',
          condition,
          firesOn: ['message'],
          destination: to(receiverUrl),
          secrets: secrets === undefined ? undefined : sealRouteSecrets(secrets, secretsKey, tenantId, name),
          ratePerSecond: 1_000_000,
          burst: 10_000_000,
          enabled: true,
        },
        kinds.length,
      );
      routes.push({
        routeId,
        tenantId,
        matches: (row) => matches(JSON.parse(row.metrics) as Record<string, unknown>, row),
      });
    }
  }
  return routes;
}

/** The ids of the jobs that the stored rows have to make. */
export function expectedJobs(routes: readonly ProveRoute[], rows: readonly StoredRow[]): Set<string> {
  const jobs = new Set<string>();
  for (const row of rows)
    for (const { routeId, tenantId, matches } of routes)
      if (tenantId === row.tenantId && matches(row))
        jobs.add(routeJobId({ routeId, identity: row.identity }));
  return jobs;
}

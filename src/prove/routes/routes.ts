import type pg from 'pg';
import type { TenantId } from '../../model/identifiers.ts';
import { routeJobId } from '../../model/route-job.ts';
import { addRoute } from '../../store/registry/add-route.ts';
import type { StoredRow } from '../check/rows.ts';

/** A route of a trial, and what it has to match, said once more in another language than the product's. */
export interface ProveRoute {
  readonly routeId: number;
  readonly tenantId: string;
  readonly matches: (row: StoredRow) => boolean;
}

interface Kind {
  readonly name: string;
  readonly path: string;
  readonly condition: string | undefined;
  readonly matches: (metrics: Readonly<Record<string, unknown>>, row: StoredRow) => boolean;
}

const kinds: readonly Kind[] = [
  { name: 'all', path: '/all', condition: undefined, matches: () => true },
  {
    name: 'flaky',
    path: '/flaky',
    condition: 'metrics.level > 500.0 && metrics.open && msg_type == "telemetry"',
    matches: ({ level, open }, { msgType }) =>
      Number(level) > 500 && open === true && msgType === 'telemetry',
  },
  {
    name: 'refused',
    path: '/refused',
    condition: 'metrics.level > 900.0',
    matches: ({ level }) => Number(level) > 900,
  },
];

/** Three routes of each tenant, to a receiver. None has a cap that a trial could reach. */
export async function registerRoutes(
  pool: pg.Pool,
  tenantIds: readonly string[],
  receiverUrl: string,
): Promise<ProveRoute[]> {
  const routes: ProveRoute[] = [];
  for (const tenantId of tenantIds) {
    for (const { name, path, condition, matches } of kinds) {
      const { routeId } = await addRoute(
        pool,
        {
          tenantId: tenantId as TenantId,
          name,
          topicFilter: '#',
          condition,
          firesOn: ['message'],
          destination: { kind: 'webhook', url: `${receiverUrl}${path}` },
          secrets: undefined,
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

import { selectTombstonesPurgedTo } from '../feed/select-tombstones-since.ts';
import type { Queryable } from '../statements/queryable.ts';
import { toSafeNumber } from '../types.ts';

/** A route as delivery needs it, disabled ones too. */
export interface DeliveryRoute {
  readonly routeId: number;
  readonly tenantId: string;
  readonly name: string;
  /** JSON text. */
  readonly destination: string;
  readonly secrets: Buffer | undefined;
  readonly enabled: boolean;
  readonly version: number;
}

export interface RouteChanges {
  /** The registry's version that this brings one to, at least. */
  readonly version: number;
  readonly routes: readonly DeliveryRoute[];
  readonly removed: readonly number[];
  /** These are all that there are: what is not among them is no more. */
  readonly isWhole: boolean;
}

interface Row {
  readonly route_id: number;
  readonly tenant_id: string;
  readonly name: string;
  readonly destination: string;
  readonly secrets: Buffer | null;
  readonly enabled: boolean;
  readonly version: bigint;
}

const routesText = `
select route_id, tenant_id, name, destination, secrets, enabled, version from routes where version > $1`;
const removedText = 'select route_id from route_tombstones where version > $1';

/**
 * What changed since a version. The version is read first: what changes meanwhile is in it already and comes again.
 * Undefined: nothing has changed in the registry.
 */
export async function selectRouteChanges(db: Queryable, since: number): Promise<RouteChanges | undefined> {
  const changes = await selectChanges(db, since);
  // Last: a purge between the reads would be missed otherwise.
  if (changes === undefined || since < 0 || (await selectTombstonesPurgedTo(db)) <= since) return changes;
  return selectChanges(db, -1);
}

async function selectChanges(db: Queryable, since: number): Promise<RouteChanges | undefined> {
  const found = await db.query<{ version: bigint }>({
    name: 'delivery-registry-version',
    text: 'select version from registry_version',
  });
  const version = toSafeNumber(found.rows[0]?.version ?? 0n);
  if (version === since) return undefined;
  const removed =
    since < 0
      ? []
      : (await db.query<{ route_id: number }>({ name: 'routes-removed', text: removedText, values: [since] }))
          .rows;
  const { rows } = await db.query<Row>({ name: 'routes-changed', text: routesText, values: [since] });
  return {
    version,
    isWhole: since < 0,
    removed: removed.map((row) => row.route_id),
    routes: rows.map((row) => ({
      routeId: row.route_id,
      tenantId: row.tenant_id,
      name: row.name,
      destination: row.destination,
      secrets: row.secrets ?? undefined,
      enabled: row.enabled,
      version: toSafeNumber(row.version),
    })),
  };
}

const disableText = `
update routes set enabled = false, disabled_reason = $2
where route_id = $1 and enabled and version = $3`;

/** Unless the route was changed since that version. */
export async function disableRoute(
  db: Queryable,
  route: Pick<DeliveryRoute, 'routeId' | 'version'>,
  reason: string,
): Promise<boolean> {
  const { rowCount } = await db.query({
    name: 'disable-route',
    text: disableText,
    values: [route.routeId, reason, route.version],
  });
  return rowCount === 1;
}

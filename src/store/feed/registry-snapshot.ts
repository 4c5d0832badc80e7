import type { RegisteredTenant } from '../../model/registry.ts';
import type { Queryable } from '../statements/queryable.ts';
import { createDeviceTable, type DeviceTable } from './device-table.ts';
import { createRouteTable, type RouteTable } from './route-table.ts';
import { selectDevicesSince } from './select-devices-since.ts';
import { selectRoutesSince, selectRouteTombstonesSince } from './select-routes-since.ts';
import { selectTenantsSince } from './select-tenants-since.ts';
import { selectTombstonesPurgedTo, selectTombstonesSince } from './select-tombstones-since.ts';

/** The registry in memory, as of `version` or partly newer. */
export interface RegistrySnapshot {
  /** -1: nothing is loaded. */
  version: number;
  readonly tenants: Map<string, RegisteredTenant>;
  /** Stays empty where only tenants are wanted. */
  readonly devices: DeviceTable;
  /** Stays empty where they are not wanted. */
  readonly routes: RouteTable;
}

export interface SnapshotOptions {
  readonly withDevices: boolean;
  readonly withRoutes: boolean;
  readonly pageSize: number;
}

export function createRegistrySnapshot(): RegistrySnapshot {
  return { version: -1, tenants: new Map(), devices: createDeviceTable(), routes: createRouteTable() };
}

/**
 * Brings a snapshot to `target`, a version that was read before. What changes meanwhile may be in it already; it has
 * a version beyond `target` and comes again the next time, so nothing is missed and the order does not matter, but
 * for this one: what was deleted and then added anew is gone by its tombstone and back by its row.
 *
 * @returns false when it is too far behind: deletions that it does not know of were purged, and it has to be loaded
 * anew. Its version stays.
 */
export async function advanceSnapshot(
  db: Queryable,
  snapshot: RegistrySnapshot,
  target: number,
  { withDevices, withRoutes, pageSize }: SnapshotOptions,
): Promise<boolean> {
  const since = snapshot.version;
  // Nothing can have been deleted from an empty snapshot.
  const tombstones = since < 0 ? [] : await selectTombstonesSince(db, since);
  for (const { tenantId, deviceId } of tombstones) {
    if (deviceId === undefined) snapshot.tenants.delete(tenantId);
    else snapshot.devices.delete(tenantId, deviceId);
  }
  for (const tenant of await selectTenantsSince(db, since)) snapshot.tenants.set(tenant.tenantId, tenant);
  if (withDevices) {
    for await (const page of selectDevicesSince(db, since, pageSize)) {
      for (const device of page) snapshot.devices.set(device);
    }
  }
  if (withRoutes) await advanceRoutes(db, snapshot, since);
  // Last: a purge between the reads above would be missed otherwise.
  if (since >= 0 && (await selectTombstonesPurgedTo(db)) > since) return false;
  snapshot.version = target;
  return true;
}

async function advanceRoutes(db: Queryable, { routes }: RegistrySnapshot, since: number): Promise<void> {
  const tombstones = since < 0 ? [] : await selectRouteTombstonesSince(db, since);
  for (const { tenantId, routeId } of tombstones) routes.delete(tenantId, routeId);
  for (const route of await selectRoutesSince(db, since)) routes.set(route);
}

import type pg from 'pg';
import { createGapMap, type GapMap } from '../../model/gap-map.ts';
import { withTenant } from '../with-tenant.ts';
import { countUnnumbered, type DeviceRange, selectNumbers } from './select-numbers.ts';

export interface DeviceGaps extends GapMap {
  /** Messages that carry no `seq`. */
  readonly unnumbered: number;
}

/** What is missing in a device's numbers within a time range; reads each message once, as a reader of the tenant. */
export function findGaps(pool: pg.Pool, range: DeviceRange): Promise<DeviceGaps> {
  return withTenant(pool, range.tenantId, async (client) => {
    const map = createGapMap();
    for await (const page of selectNumbers(client, range)) for (const message of page) map.add(message);
    return { ...map.finish(), unnumbered: await countUnnumbered(client, range) };
  });
}

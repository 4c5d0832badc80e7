import type { DeviceId, TenantId } from '../../../model/identifiers.ts';
import { isKnownDevice } from '../../../store/series/known-device.ts';
import type { Queryable } from '../../../store/statements/queryable.ts';
import { notFound } from '../../problem.ts';

interface OfDevice {
  readonly tenant_id: TenantId;
  readonly device_id: DeviceId;
}

/** @throws Problem 404 for a device that the tenant has not and never had */
export async function requireDevice(db: Queryable, { tenant_id, device_id }: OfDevice): Promise<void> {
  if (!(await isKnownDevice(db, tenant_id, device_id))) throw notFound();
}

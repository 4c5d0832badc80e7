import type { Reading } from '../../model/verdict.ts';

export function unregisteredDevice({ tenantId, deviceId }: Reading): string {
  return `Tenant "${tenantId}" has no device "${deviceId}".`;
}

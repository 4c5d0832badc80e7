export interface Topic {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly msgType: string;
}

/** The parts of `tenant/{tenant_id}/device/{device_id}/{msg_type}`, not yet checked. */
export function parseTopic(topic: unknown): Topic | undefined {
  if (typeof topic !== 'string') return undefined;
  const [tenant, tenantId, device, deviceId, msgType, ...more] = topic.split('/', 6);
  if (tenant !== 'tenant' || device !== 'device' || more.length > 0) return undefined;
  if (tenantId === undefined || deviceId === undefined || msgType === undefined) return undefined;
  return { tenantId, deviceId, msgType };
}

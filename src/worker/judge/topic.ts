export interface Topic {
  readonly tenantId: string;
  readonly deviceId: string;
  readonly msgType: string;
}

const topicForm = /^tenant\/([^/]*)\/device\/([^/]*)\/([^/]*)$/;

/** The parts of `tenant/{tenant_id}/device/{device_id}/{msg_type}`, not yet checked. */
export function parseTopic(topic: unknown): Topic | undefined {
  if (typeof topic !== 'string') return undefined;
  const [, tenantId, deviceId, msgType] = topicForm.exec(topic) ?? [];
  if (tenantId === undefined || deviceId === undefined || msgType === undefined) return undefined;
  return { tenantId, deviceId, msgType };
}

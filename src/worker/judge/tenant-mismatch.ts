import type { Draft } from './draft.ts';
import { shown } from './shown.ts';

/** What a payload says of tenant and device is data: over HTTP nobody but the device has looked at it. */
export function tenantMismatch({ subjectTenant, envelope, topic, token }: Draft): string | undefined {
  const differs = (what: string, value: unknown, than: string | undefined) =>
    `The topic's ${what} is ${shown(than, token)}, but ${shown(value, token)} in the`;
  if (envelope.tenant_id !== topic?.tenantId) {
    return `${differs('tenant_id', envelope.tenant_id, topic?.tenantId)} envelope.`;
  }
  if (subjectTenant !== topic?.tenantId) {
    return `${differs('tenant_id', subjectTenant, topic?.tenantId)} subject.`;
  }
  if (envelope.device_id !== topic.deviceId) {
    return `${differs('device_id', envelope.device_id, topic.deviceId)} envelope.`;
  }
  return undefined;
}

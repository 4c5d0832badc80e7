import { holdsToken } from '../../model/holds-token.ts';
import { identifierRules, isDeviceId, isTenantId } from '../../model/identifiers.ts';
import type { Draft } from './draft.ts';
import { shown } from './shown.ts';

export function badTopicFormat({ envelope, topic, token }: Draft): string | undefined {
  if (topic === undefined) {
    return `The topic ${shown(envelope.topic, token)} is not tenant/{tenant_id}/device/{device_id}/{msg_type}.`;
  }
  if (holdsToken(`${topic.tenantId}/${topic.deviceId}`, token)) return 'The topic holds the provision token.';
  if (!isTenantId(topic.tenantId)) {
    return `The topic's tenant_id ${shown(topic.tenantId, token)} is not ${identifierRules.tenant_id}.`;
  }
  if (!isDeviceId(topic.deviceId)) {
    return `The topic's device_id ${shown(topic.deviceId, token)} is not ${identifierRules.device_id}.`;
  }
  return undefined;
}

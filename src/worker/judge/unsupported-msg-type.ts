import { isMsgType } from '../../model/identifiers.ts';
import type { Draft } from './draft.ts';
import { shown } from './shown.ts';

export function unsupportedMsgType({ envelope, topic, token }: Draft): string | undefined {
  const msgType = envelope.msg_type;
  if (!isMsgType(msgType)) return `The msg_type ${shown(msgType, token)} is neither telemetry nor heartbeat.`;
  const inTopic = topic?.msgType;
  return inTopic === msgType
    ? undefined
    : `The msg_type is "${msgType}", but ${shown(inTopic, token)} in the topic.`;
}

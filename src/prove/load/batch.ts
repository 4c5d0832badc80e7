import { postJson, refusal, urlOf } from './http.ts';
import { bodyOf, type ProveMessage } from './message.ts';
import type { Sender, SendOutcome } from './sender.ts';

/** `POST /ingest/v1/batch` with all that are handed in, at most 100. */
export function createBatchSender(urls: readonly string[]): Sender {
  return {
    send: async (messages, attempt) => {
      const first = messages[0]?.n ?? 0;
      const body = { messages: messages.map(itemOf) };
      const answer = await postJson(`${urlOf(urls, first + attempt)}/ingest/v1/batch`, body, {});
      if ('outcome' in answer) return messages.map(() => answer.outcome);
      if (answer.status !== 200) return messages.map(() => refusal(answer));
      const results = resultsOf(answer.text);
      return messages.map((_, index) => itemOutcome(results[index]));
    },
    close: async () => {},
  };
}

function itemOf(message: ProveMessage): Record<string, unknown> {
  return {
    tenant_id: message.device.tenantId,
    device_id: message.device.deviceId,
    msg_type: message.msgType,
    provision_token: message.token,
    ...(message.key === undefined ? {} : { msg_id: message.key }),
    ...bodyOf(message),
  };
}

function itemOutcome(result: unknown): SendOutcome {
  if (member(result, 'status') === 'accepted') return { answer: 'yes' };
  const reason = String(member(result, 'reason') ?? 'no result');
  return {
    answer: reason === 'publish_failed' || result === undefined ? 'unknown' : 'no',
    why: `batch: ${reason}`,
  };
}

function resultsOf(text: string): readonly unknown[] {
  try {
    const results = member(JSON.parse(text), 'results');
    return Array.isArray(results) ? results : [];
  } catch {
    return [];
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

import { ingestTopic } from '../../model/identifiers.ts';
import type { ScriptedMessage } from './script.ts';
import type { Sender, SenderOptions } from './senders.ts';
import type { SendOutcome } from './tally.ts';

/** Most messages in one batch, as the contract has it. */
export const maxBatchMessages = 100;

/** `POST /ingest/v1/tenant/{t}/device/{d}/{msg_type}`, one request a message. */
export function createSingleSender(httpUrl: string, options: SenderOptions): Sender {
  const send = async (message: ScriptedMessage): Promise<SendOutcome> => {
    const topic = ingestTopic(options.tenantId, message.device.deviceId, message.msgType);
    const answer = await post(`${httpUrl}/ingest/v1/${topic}`, message.body, options.timeoutMs, {
      'X-Provision-Token': message.token,
    });
    if ('failure' in answer) return answer.failure;
    return answer.status === 202 ? { result: 'accepted' } : refusal(answer);
  };
  return { send: (messages) => Promise.all(messages.map(send)), close: async () => {} };
}

/** `POST /ingest/v1/batch`, one request for all that are handed in (at most 100). */
export function createBatchSender(httpUrl: string, options: SenderOptions): Sender {
  return {
    send: async (messages) => {
      const body = `{"messages":[${messages.map((message) => batchItem(options.tenantId, message)).join(',')}]}`;
      const answer = await post(`${httpUrl}/ingest/v1/batch`, body, options.timeoutMs, {});
      if ('failure' in answer) return messages.map(() => answer.failure);
      if (answer.status !== 200) return messages.map(() => refusal(answer));
      return messages.map((_, index) => itemOutcome(answer.body, index));
    },
    close: async () => {},
  };
}

function batchItem(tenantId: string, message: ScriptedMessage): string {
  const head = JSON.stringify({
    tenant_id: tenantId,
    device_id: message.device.deviceId,
    msg_type: message.msgType,
    provision_token: message.token,
  });
  return `${head.slice(0, -1)},${message.body.slice(1)}`;
}

function itemOutcome(body: unknown, index: number): SendOutcome {
  const results = member(body, 'results');
  const item: unknown = Array.isArray(results) ? results[index] : undefined;
  if (member(item, 'status') === 'accepted') return { result: 'accepted' };
  return { result: 'refused', why: `batch: ${String(member(item, 'reason') ?? 'no result')}` };
}

type Answer = { readonly status: number; readonly body: unknown } | { readonly failure: SendOutcome };

async function post(
  url: string,
  body: string,
  timeoutMs: number,
  headers: Readonly<Record<string, string>>,
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'Content-Type': 'application/json', ...headers },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    const text = await response.text();
    return { status: response.status, body: parsed(text) };
  } catch (error) {
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    return { failure: { result: 'unknown', why: timedOut ? 'no answer in time' : 'no connection' } };
  }
}

function refusal(answer: { readonly status: number; readonly body: unknown }): SendOutcome {
  const detail = member(answer.body, 'detail');
  return { result: 'refused', why: `${answer.status} ${typeof detail === 'string' ? detail : ''}`.trim() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

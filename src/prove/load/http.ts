import { ingestTopic } from '../../model/identifiers.ts';
import { bodyOf, type ProveMessage } from './message.ts';
import { answerTimeoutMs, type Sender, type SendOutcome } from './sender.ts';

/** `POST /ingest/v1/tenant/{t}/device/{d}/{msg_type}`; a retry goes to the next gateway. */
export function createHttpSender(urls: readonly string[]): Sender {
  const sendOne = async (message: ProveMessage, attempt: number): Promise<SendOutcome> => {
    const { device, msgType, token, key } = message;
    const topic = ingestTopic(device.tenantId, device.deviceId, msgType);
    const answer = await postJson(`${urlOf(urls, message.n + attempt)}/ingest/v1/${topic}`, bodyOf(message), {
      'X-Provision-Token': token,
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    });
    if ('outcome' in answer) return answer.outcome;
    return answer.status === 202 ? { answer: 'yes' } : refusal(answer);
  };
  return {
    send: (messages, attempt) => Promise.all(messages.map((message) => sendOne(message, attempt))),
    close: async () => {},
  };
}

export function urlOf(urls: readonly string[], turn: number): string {
  return urls[turn % urls.length] ?? '';
}

/** 4xx is a decision; anything else may have been stored. Of that there is only 503, which says when to come back. */
export function refusal({ status, text, retryAfter }: Answered): SendOutcome {
  const isKnown = status >= 400 && status < 500;
  const why = `${status} ${text.slice(0, 200)}`;
  if (isKnown) return { answer: 'no', why };
  const seconds = Number(retryAfter ?? Number.NaN);
  const isHonest = status === 503 && Number.isInteger(seconds) && seconds >= 1 && seconds <= 60;
  const outOfContract = `${status} with Retry-After ${retryAfter ?? 'missing'}: ${text.slice(0, 200)}`;
  return { answer: 'unknown', why, ...(isHonest ? {} : { outOfContract }) };
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly retryAfter: string | null;
}

type HttpAnswer = Answered | { readonly outcome: SendOutcome };

export async function postJson(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<HttpAnswer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...headers },
      signal: AbortSignal.timeout(answerTimeoutMs),
      redirect: 'error',
    });
    return {
      status: response.status,
      text: await response.text(),
      retryAfter: response.headers.get('retry-after'),
    };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    // Nothing listened, so nothing was sent; after any other failure nobody knows.
    const answer = code === 'ConnectionRefused' || code === 'ECONNREFUSED' ? 'no' : 'unknown';
    return { outcome: { answer, why: code } };
  }
}

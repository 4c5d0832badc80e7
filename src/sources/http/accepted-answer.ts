import type { SettledFate } from '../../intake/settled-waits.ts';
import { problemText } from './problem.ts';
import { discardedDetail, fateAsJson, receiptLocation } from './receipts.ts';

const acceptedBody = '{"status":"accepted"}';
const json = 'application/json';

export function acceptedAnswer(receiptId: string | undefined): Response {
  if (receiptId === undefined) return new Response(acceptedBody, withoutReceipt);
  return new Response(acceptedBody, {
    status: 202,
    headers: { 'Content-Type': json, Location: receiptLocation(receiptId) },
  });
}

const withoutReceipt = { status: 202, headers: { 'Content-Type': json } };

/** The answer to a request that waited. @param fate undefined: no outcome in that time */
export function waitedAnswer(
  fate: SettledFate | undefined,
  seconds: number,
  receiptId: string | undefined,
): Response {
  const headers: Record<string, string> = { 'Preference-Applied': `wait=${seconds}` };
  if (receiptId !== undefined) headers.Location = receiptLocation(receiptId);
  const plain = (status: number, body: string) =>
    new Response(body, { status, headers: { 'Content-Type': json, ...headers } });
  switch (fate?.status) {
    case undefined:
    case 'forgotten':
      return plain(202, acceptedBody);
    case 'stored':
      return plain(201, JSON.stringify(fateAsJson(fate)));
    case 'duplicate':
      return plain(200, JSON.stringify(fateAsJson(fate)));
    case 'quarantined':
      return refused(fate.rejection.detail, fate.rejection.reason, headers);
    case 'discarded':
      return refused(discardedDetail, null, headers);
  }
}

function refused(detail: string, reason: string | null, headers: Record<string, string>): Response {
  const body: Record<string, unknown> = JSON.parse(problemText('quarantined', detail));
  return new Response(JSON.stringify({ ...body, reason }), {
    status: 422,
    headers: { 'Content-Type': 'application/problem+json', ...headers },
  });
}

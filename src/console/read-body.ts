import { decodeUtf8 } from '../model/strict-json.ts';
import { invalidInput, Problem } from './problem.ts';

export const tooLarge = (maxBytes: number) =>
  new Problem('too_large', `A body has at most ${maxBytes} bytes`);

/** @throws Problem for a body that is longer, or is not UTF-8 */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  if (Number(request.headers.get('Content-Length') ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  if (text === undefined) throw invalidInput('The body is not UTF-8');
  return text;
}

/** What the reply subject of a delivered message says. */
export interface Delivery {
  /** Stream sequence. */
  readonly seq: number;
  /** JetStream's timestamp of the message, ns since the epoch. */
  readonly timestampNs: bigint;
  /** From 1. */
  readonly deliveryCount: number;
}

/** `$JS.ACK.{stream}.{consumer}.{delivered}.{seq}.{consumer seq}.{timestamp}.{pending}`: before 2.4 and still, for old consumers. */
const shortTokens = 9;
/** With `{domain}.{account hash}` before the stream and, from some servers, a random token at the end. */
const longTokens = [11, 12];

/** Reads the reply subject of a delivered message; `undefined` for any other subject. */
export function parseAckSubject(reply: string): Delivery | undefined {
  if (!reply.startsWith('$JS.ACK.')) return undefined;
  const tokens = reply.split('.');
  if (tokens.length !== shortTokens && !longTokens.includes(tokens.length)) return undefined;
  const first = tokens.length === shortTokens ? 4 : 6;
  const [delivered, seq, timestamp] = [tokens[first], tokens[first + 1], tokens[first + 3]];
  if (!isNumber(delivered) || !isNumber(seq) || !isNumber(timestamp)) return undefined;
  return { seq: Number(seq), timestampNs: BigInt(timestamp), deliveryCount: Number(delivered) };
}

function isNumber(text: string | undefined): text is string {
  return text !== undefined && /^[0-9]+$/.test(text);
}

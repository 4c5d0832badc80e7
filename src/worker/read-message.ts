import { telemetrySubjectPrefix } from '../model/envelope.ts';
import { depthExceeds } from '../model/json-spans.ts';
import {
  duplicateKey,
  isRawNumber,
  type Member,
  parseExactJson,
  topLevelMembers,
} from '../model/json-text.ts';
import { decodeUtf8, hasProtoKey, maxJsonDepth } from '../model/strict-json.ts';
import { parseTimestamp } from '../model/timestamp.ts';
import type { RawMessage } from '../model/verdict.ts';
import { arrivalOf } from './arrival.ts';
import type { Draft, Fields } from './judge/draft.ts';
import { parseTopic } from './judge/topic.ts';
import { mayHoldLongNumber } from './judge/unstorable-number.ts';

/** A JSON object as text and value. */
interface ReadObject {
  readonly text: string;
  readonly fields: Fields;
  /** For a payload: where it stands in the envelope's text; undefined for one that came as a string. */
  readonly start?: number;
}

type ReadResult = ReadObject | { readonly fault: string };

/** Reads envelope and payload as far as it goes. Never throws. */
export function readMessage(raw: RawMessage): Draft {
  const envelope = readEnvelope(raw.data);
  if ('fault' in envelope) return draftOf(raw, { unreadable: envelope.fault });
  const payload = readPayload(envelope);
  if ('fault' in payload) return draftOf(raw, { unreadable: payload.fault, envelope });
  return draftOf(raw, { envelope, payload });
}

function readEnvelope(data: Uint8Array): ReadResult {
  const text = decodeUtf8(data);
  if (text === undefined) return { fault: 'is not valid UTF-8' };
  // The payload may use the full depth, and stands one level down.
  return readObject(text, { what: 'is', maxDepth: maxJsonDepth + 1 });
}

function readPayload({ text, fields }: ReadObject): ReadResult {
  const payload = fields.payload;
  if (payload === undefined || payload === null) {
    const isBytes = fields.payload_b64 !== undefined;
    return { fault: isBytes ? 'has a payload of bytes that are no text (payload_b64)' : 'has no payload' };
  }
  if (typeof payload === 'string') {
    return readObject(payload, { what: 'has a payload string that is', maxDepth: maxJsonDepth });
  }
  if (!isObject(payload)) return { fault: 'has a payload that is neither a JSON object nor a string of one' };
  const span = topLevelMembers(text).findLast(({ key }) => key === 'payload');
  const start = span?.valueStart ?? 0;
  return { text: text.slice(start, span?.valueEnd), fields: payload, start };
}

function readObject(text: string, { what, maxDepth }: { what: string; maxDepth: number }): ReadResult {
  // Before parsing: what walks the value afterwards must not meet any depth.
  if (depthExceeds(text, maxDepth)) return { fault: `${what} nested too deeply (more than ${maxJsonDepth})` };
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    // The engine's own message may quote the text, and so the token.
    return { fault: `${what} not JSON` };
  }
  if (!isObject(value)) return { fault: `${what} not a JSON object` };
  if (mayHold(text, '__proto__') && hasProtoKey(value)) return { fault: `${what} JSON with a __proto__ key` };
  return { text, fields: value };
}

function draftOf(
  raw: RawMessage,
  parts: { unreadable?: string; envelope?: ReadObject; payload?: ReadObject },
): Draft {
  const { envelope = nothing, payload = nothing, unreadable } = parts;
  const members = topLevelMembers(payload.text);
  const arrivedAtMs = arrivalOf(envelope.fields.ts, raw.timestampNs);
  const metrics = members.findLast(({ key }) => key === 'metrics');
  return {
    subjectTenant: subjectTenantOf(raw.subject),
    unreadable,
    envelope: envelope.fields,
    topic: parseTopic(envelope.fields.topic),
    payload: payload.fields,
    payloadText: payload.text,
    members,
    metricsText: metrics && payload.text.slice(metrics.valueStart, metrics.valueEnd),
    ...repetitions(envelope, payload, metrics),
    mayBeUnstorable: payload.text.includes('\\u') || !payload.text.isWellFormed(),
    mayOverflow: mayHoldLongNumber(payload.text),
    token: tokenOf(payload.fields),
    arrivedAtMs,
    time: parseTimestamp(payload.fields.ts, arrivedAtMs),
  };
}

const nothing: ReadObject = { text: '{}', fields: {} };

/** Keys repeated in the metrics are another check's: this looks at the rest as if they were not there. */
function repetitions(
  envelope: ReadObject,
  payload: ReadObject,
  metrics: Member | undefined,
): Pick<Draft, 'repeatedKey' | 'mayRepeatKeys'> {
  const inEnvelope = duplicateKey(envelope.text, envelope.fields);
  const isEmbedded = payload.start === undefined;
  const inPayload = isEmbedded ? duplicateKey(payload.text, payload.fields) : inEnvelope;
  const mayRepeatKeys = inEnvelope !== undefined || inPayload !== undefined;
  if (!mayRepeatKeys || metrics === undefined || (isEmbedded && inEnvelope !== undefined)) {
    return { repeatedKey: inEnvelope ?? inPayload, mayRepeatKeys };
  }
  const offset = payload.start ?? 0;
  const around = isEmbedded ? payload.text : envelope.text;
  const rest = `${around.slice(0, offset + metrics.valueStart)}0${around.slice(offset + metrics.valueEnd)}`;
  return { repeatedKey: duplicateKey(rest, JSON.parse(rest)), mayRepeatKeys };
}

function subjectTenantOf(subject: string): string {
  return subject.startsWith(telemetrySubjectPrefix) ? subject.slice(telemetrySubjectPrefix.length) : subject;
}

function tokenOf(payload: Fields): string | undefined {
  const token = payload.provision_token;
  return typeof token === 'string' && token !== '' ? token : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRawNumber(value);
}

/** Cheap, and wrong only towards yes: another spelling of a key needs an escape. */
function mayHold(text: string, key: string): boolean {
  return text.includes(key) || text.includes('\\u');
}

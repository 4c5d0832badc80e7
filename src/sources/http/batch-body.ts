import type { RefusalCode } from '../../model/errors.ts';
import { depthExceeds } from '../../model/json-spans.ts';
import { arrayElements, memberSpan, parseStrictJson, type StrictJson } from '../../model/json-text.ts';
import { decodeUtf8, hasProtoKey, maxJsonDepth } from '../../model/strict-json.ts';
import { isObject } from './is-object.ts';

export const maxBatchMessages = 100;

/** An item as it stands in the batch's text: what goes into the stream keeps its bytes. */
export interface BatchItem {
  readonly value: unknown;
  readonly text: string;
  /** Too deep, or with a `__proto__` key somewhere. */
  readonly unfit: boolean;
}

/** An item is two levels down: in the top-level object, in the array. */
const depthAroundItems = 2;

/** Reads `{"messages":[…]}`. What is wrong with single items is told item by item. */
export function readBatch(bytes: Uint8Array): readonly BatchItem[] | RefusalCode {
  const strict = parseStrictJson(bytes, { maxDepth: maxJsonDepth + depthAroundItems });
  const allFit = strict.ok;
  const parsed = strict.ok ? strict : parseLoosely(bytes, strict);
  if (parsed === undefined || !isObject(parsed.value)) return 'invalid_json';
  if (!allFit && Object.hasOwn(parsed.value, '__proto__')) return 'invalid_json';
  const { messages } = parsed.value;
  if (!Array.isArray(messages) || messages.length === 0) return 'no_messages';
  if (messages.length > maxBatchMessages) return 'too_many_messages';
  return cutItems(parsed.text, messages, allFit);
}

/** One item too deep or with `__proto__` costs that item, not the batch. */
function parseLoosely(
  bytes: Uint8Array,
  { why }: StrictJson & { ok: false },
): { value: unknown; text: string } | undefined {
  if (why === 'not_json' || why === 'not_utf8') return undefined;
  const text = decodeUtf8(bytes);
  if (text === undefined) return undefined;
  try {
    return { value: JSON.parse(text), text };
  } catch {
    return undefined;
  }
}

function cutItems(text: string, messages: readonly unknown[], allFit: boolean): BatchItem[] {
  const at = memberSpan(text, 'messages')?.valueStart ?? 0;
  const spans = arrayElements(text, at);
  return messages.map((value, index) => {
    const span = spans[index] ?? { start: 0, end: 0 };
    const itemText = text.slice(span.start, span.end);
    return {
      value,
      text: itemText,
      unfit: !allFit && (depthExceeds(itemText, maxJsonDepth) || hasProtoKey(value)),
    };
  });
}

import type { RefusalCode } from '../../model/errors.ts';
import { depthExceeds } from '../../model/json-spans.ts';
import { arrayElements, memberSpan } from '../../model/json-text.ts';
import { decodeUtf8, hasProtoKey, maxJsonDepth, mayHoldProtoKey } from '../../model/strict-json.ts';
import { isObject } from './is-object.ts';

export const maxBatchMessages = 100;

/** An item as it stands in the batch's text: what goes into the stream keeps its bytes. */
export interface BatchItem {
  readonly value: unknown;
  readonly text: string;
  /** Too deep, or with a `__proto__` key somewhere. */
  readonly unfit: boolean;
}

/** Reads `{"messages":[…]}`. What is wrong with single items is told item by item. */
export function readBatch(bytes: Uint8Array): readonly BatchItem[] | RefusalCode {
  const text = decodeUtf8(bytes);
  const parsed = text === undefined ? undefined : parseObject(text);
  if (text === undefined || parsed === undefined) return 'invalid_json';
  const mayHoldProto = mayHoldProtoKey(text);
  if (mayHoldProto && Object.hasOwn(parsed, '__proto__')) return 'invalid_json';
  const { messages } = parsed;
  if (!Array.isArray(messages) || messages.length === 0) return 'no_messages';
  if (messages.length > maxBatchMessages) return 'too_many_messages';
  return cutItems(text, messages, mayHoldProto);
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Depth is looked at item by item: one that is too deep costs itself, not the batch. */
function cutItems(text: string, messages: readonly unknown[], mayHoldProto: boolean): BatchItem[] {
  const at = memberSpan(text, 'messages')?.valueStart ?? 0;
  const spans = arrayElements(text, at);
  return messages.map((value, index) => {
    const span = spans[index] ?? { start: 0, end: 0 };
    const itemText = text.slice(span.start, span.end);
    return {
      value,
      text: itemText,
      unfit: depthExceeds(itemText, maxJsonDepth) || (mayHoldProto && hasProtoKey(value)),
    };
  });
}

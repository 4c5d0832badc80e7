import { withMember } from '../../model/json-text.ts';
import { decodeUtf8, parseStrictJson } from '../../model/strict-json.ts';

/** A payload, ready for the envelope. */
export interface ReadPayload {
  /** JSON text for the envelope's `payload`. */
  readonly payloadText: string;
  /** The same, parsed; empty when it is no object. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** The bytes in base64, when no text holds them: `payloadText` is `null` then. */
  readonly payloadBase64: string | undefined;
  /** The provision token; empty without one. */
  readonly token: string;
}

/**
 * Reads what a device published. MQTT 3.1.1 has no way to refuse a payload with a reason, and what gets no
 * PUBACK comes again for ever: so what is not an acceptable JSON object goes on as a string, or as base64,
 * and the worker quarantines it.
 *
 * @param password replaces any `provision_token` in the payload
 */
export function readPayload(bytes: Uint8Array, password: string | undefined): ReadPayload {
  const json = parseStrictJson(bytes);
  if (!json.ok || !isObject(json.value)) return unreadable(bytes, password);
  if (password === undefined) {
    const token = json.value.provision_token;
    return {
      payloadText: json.text,
      payload: json.value,
      payloadBase64: undefined,
      token: typeof token === 'string' ? token : '',
    };
  }
  json.value.provision_token = password;
  return {
    payloadText: withMember(json.text, 'provision_token', JSON.stringify(password)),
    payload: json.value,
    payloadBase64: undefined,
    token: password,
  };
}

function unreadable(bytes: Uint8Array, password: string | undefined): ReadPayload {
  const rest = { payload: {}, token: password ?? '' };
  const base64Length = Math.ceil(bytes.length / 3) * 4;
  const text = decodeUtf8(bytes);
  const payloadText = text === undefined ? undefined : JSON.stringify(text);
  // Escapes can make a string six times as long as its bytes, too long for NATS; base64 only adds a third.
  if (payloadText !== undefined && payloadText.length <= Math.max(base64Length, bytes.length + 256)) {
    return { ...rest, payloadText, payloadBase64: undefined };
  }
  return { ...rest, payloadText: 'null', payloadBase64: Buffer.from(bytes).toString('base64') };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

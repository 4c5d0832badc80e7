import type { Msg } from '@nats-io/nats-core';
import { MsgImpl } from '@nats-io/nats-core/internal';

/**
 * The header of a delivered message as text; empty without one. The client's own reading makes a map of
 * lists, which costs as much as parsing the envelope.
 *
 * @throws TypeError for a message that is not the NATS client's
 */
export function headerTextOf(delivered: Msg): string {
  if (!(delivered instanceof MsgImpl)) throw new TypeError('the message is not of the NATS client');
  const { _rdata: data, _msg: frame } = delivered;
  return frame.hdr > 0 ? Buffer.from(data.buffer, data.byteOffset, frame.hdr).toString() : '';
}

/** The first value under this very spelling of the name; `undefined` for none, and for an empty one. */
export function headerValue(text: string, name: string): string | undefined {
  const line = `\r\n${name}:`;
  const at = text.indexOf(line);
  if (at === -1) return undefined;
  const from = at + line.length;
  return text.slice(from, text.indexOf('\r\n', from)).trim() || undefined;
}

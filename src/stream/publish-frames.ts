import type { NatsConnection } from '@nats-io/nats-core';
import { traceparentHeader } from '../model/trace-context.ts';
import { natsClient } from './nats-client.ts';

/** One publish as it goes over the wire. */
export interface FramedPublish {
  readonly subject: string;
  readonly reply: string;
  readonly msgId: string;
  /** Further header lines, each with its line end; mostly empty. */
  readonly moreHeaders: string;
  readonly data: string | Uint8Array;
  /** Of `data`, in UTF-8. */
  readonly dataBytes: number;
}

const headerStart = 'NATS/1.0\r\nNats-Msg-Id: ';
const headerEnd = '\r\n\r\n';
/** A message with this header has its worker tell whom it names: see `settledSubject`. */
export const settledToHeader = 'Tributary-Settled-To';
const lineEnd = '\r\n';

/** What the header with a message id adds to a message; it is ASCII. */
export function headerBytes(msgId: string, moreHeaders: string): number {
  return headerStart.length + msgId.length + headerEnd.length + moreHeaders.length;
}

/** The lines of `moreHeaders`. */
export function headerLines(settledTo: string | undefined, traceparent: string | undefined): string {
  const settled = settledTo === undefined ? '' : `${settledToHeader}: ${settledTo}\r\n`;
  return traceparent === undefined ? settled : `${settled}${traceparentHeader}: ${traceparent}\r\n`;
}

/**
 * The protocol's text for several publishes in one buffer. The client's own `publish` makes half a dozen small
 * buffers for each, which costs more than all the rest of a publish.
 */
function encodePublishes(publishes: readonly FramedPublish[]): Uint8Array {
  const commands: string[] = [];
  let size = 0;
  for (const publish of publishes) {
    const command = commandOf(publish);
    commands.push(command);
    size += command.length + publish.dataBytes + lineEnd.length;
  }
  const frames = Buffer.allocUnsafe(size);
  let at = 0;
  for (const [index, { data }] of publishes.entries()) {
    at += frames.write(commands[index] ?? '', at, 'latin1');
    at += typeof data === 'string' ? frames.write(data, at) : copyTo(frames, data, at);
    at += frames.write(lineEnd, at, 'latin1');
  }
  return frames;
}

function copyTo(frames: Uint8Array, data: Uint8Array, at: number): number {
  frames.set(data, at);
  return data.length;
}

/** ASCII, since subjects and ids are: as many bytes as characters. */
function commandOf({ subject, reply, msgId, moreHeaders, dataBytes }: FramedPublish): string {
  const header = headerBytes(msgId, moreHeaders);
  const command = `HPUB ${subject} ${reply} ${header} ${header + dataBytes}\r\n`;
  return `${command}${headerStart}${msgId}\r\n${moreHeaders}\r\n`;
}

/** About so many bytes of messages go into one buffer: after an outage there may be very many. */
const maxBufferBytes = 256 * 1024;

/**
 * Hands publishes to the client's own queue, behind what is in it already.
 *
 * @throws TypeError for a connection that is not the NATS client's
 */
export function sendPublishes(nc: NatsConnection, publishes: readonly FramedPublish[]): void {
  const client = natsClient(nc);
  let from = 0;
  let bytes = 0;
  for (const [index, { dataBytes }] of publishes.entries()) {
    bytes += dataBytes;
    if (bytes < maxBufferBytes && index < publishes.length - 1) continue;
    client.protocol.sendCommand(encodePublishes(publishes.slice(from, index + 1)));
    from = index + 1;
    bytes = 0;
  }
}

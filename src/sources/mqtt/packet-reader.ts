import type { MqttRefusal } from '../../observe/mqtt.ts';
import { checkHeader, type FixedHeader, type PacketLimits, readFixedHeader } from './fixed-header.ts';

/** A whole packet, as a range of `bytes`; the header is checked. */
export interface Packet {
  readonly header: FixedHeader;
  readonly bytes: Buffer;
  /** Of the fixed header's first byte. */
  readonly start: number;
  readonly end: number;
}

const noBytes = Buffer.alloc(0);

/**
 * What was received and not yet passed, cut into packets. A chunk is read where it lies; only a packet that
 * comes in pieces is put together, in a buffer that doubles, so that single bytes cost no more than large ones.
 */
export class PacketReader {
  readonly #limits: PacketLimits;
  #bytes: Buffer = noBytes;
  #start = 0;
  /** A received chunk ends here; a buffer made here has room behind it. What has been handed out lies before. */
  #end = 0;

  constructor(limits: PacketLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  append(chunk: Buffer): void {
    const { length } = this;
    if (length === 0) {
      this.#use(chunk, chunk.length);
      return;
    }
    if (this.#end + chunk.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(2 * (length + chunk.length));
      this.#bytes.copy(grown, 0, this.#start, this.#end);
      this.#use(grown, length);
    }
    chunk.copy(this.#bytes, this.#end);
    this.#end += chunk.length;
  }

  /** The first packet; undefined before its last byte is there, and why it must not come at all. */
  first(): Packet | MqttRefusal | undefined {
    const header = readFixedHeader(this.#bytes, this.#start, this.#end);
    if (header === undefined || header === 'malformed') return header;
    const refusal = checkHeader(header, this.#limits);
    if (refusal !== undefined) return refusal;
    const end = this.#start + header.size + header.length;
    return end > this.#end ? undefined : { header, bytes: this.#bytes, start: this.#start, end };
  }

  /** All that is there, for who looks for something else than a packet. */
  all(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  /** Goes on behind that many bytes. */
  skip(bytes: number): void {
    this.#start += bytes;
    // Not to keep the whole chunk alive for as long as the client is silent.
    if (this.#start >= this.#end) this.clear();
  }

  clear(): void {
    this.#use(noBytes, 0);
  }

  #use(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = end;
  }
}

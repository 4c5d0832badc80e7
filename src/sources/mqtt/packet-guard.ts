import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { MqttRefusal } from '../../observe/mqtt.ts';
import { ClientPlaces } from './client-places.ts';
import { closeSocket } from './close-socket.ts';
import {
  checkHeader,
  type FixedHeader,
  FixedHeaderReader,
  isPublish,
  type PacketLimits,
  packetType,
  readConnectFrame,
} from './fixed-header.ts';
import type { PartialPackets } from './partial-packets.ts';
import type { PublishWindow } from './publish-window.ts';

export interface PacketGuardOptions {
  readonly socket: Socket;
  readonly limits: PacketLimits;
  /** Publishes of this client under way at most. */
  readonly maxUnacked: number;
  readonly window: PublishWindow;
  readonly partials: PartialPackets;
  /** Told once, when the guard closes the connection by itself or is asked to. */
  readonly onRefused: (reason: MqttRefusal) => void;
}

const noBytes = Buffer.alloc(0);
const connackUnacceptableProtocol = Buffer.from([0x20, 0x02, 0x00, 0x01]);
/** aedes makes an object of some hundred bytes of each packet it reads at once; the smallest have two bytes. */
const maxPacketsAtOnce = 64;

/**
 * Stands between the socket and aedes, whose parser would buffer a packet of any size. It reads fixed headers
 * only and hands the bytes through as they are. Invariants:
 * - nothing of a packet that is too large or out of place passes, but the header's bytes;
 * - nothing behind CONNECT passes before `open()`;
 * - a PUBLISH passes whole only after it has its place under `maxUnacked` and in the window;
 * - while it waits for that, or is held, the socket is not read;
 * - no more than `maxPacketsAtOnce` lie between here and aedes.
 */
export class PacketGuard extends Duplex {
  readonly #options: PacketGuardOptions;
  readonly #socket: Socket;
  readonly #header = new FixedHeaderReader();
  #phase: 'connect' | 'connecting' | 'open' | 'disconnected' = 'connect';
  /** Received and not yet passed. */
  #backlog: Buffer = noBytes;
  #current: FixedHeader | undefined;
  /** Bytes of the current packet that are still to come. */
  #left = 0;
  /** Packets that may end before aedes has read what was passed. */
  #packetsLeft = maxPacketsAtOnce;
  readonly #places: ClientPlaces;
  #held = false;
  #wanted = false;
  #ended = false;
  #refused = false;

  constructor(options: PacketGuardOptions) {
    // Full after every push, so that aedes has read one before the next one is made.
    super({ allowHalfOpen: false, readableHighWaterMark: 1 });
    this.#options = options;
    this.#socket = options.socket;
    this.#places = new ClientPlaces({ ...options, onGranted: () => this.#resumeInLine() });
    options.socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    options.socket.on('end', () => {
      this.#ended = true;
      this.#pump();
    });
    options.socket.on('error', (error) => this.destroy(error));
    // After an orderly end, what was received is still to be handled; the end of the stream then closes all.
    options.socket.on('close', () => {
      if (!this.#ended) this.destroy();
    });
  }

  get isHeld(): boolean {
    return this.#held || this.#places.isWaiting;
  }

  /** Whether the client said good-bye, so that its will must not be published. */
  get sawDisconnect(): boolean {
    return this.#phase === 'disconnected';
  }

  /** CONNECT was accepted: what comes behind it may pass. */
  open(): void {
    if (this.#phase !== 'connecting') return;
    this.#phase = 'open';
    this.#pump();
  }

  /** From here on nothing passes any more; what is under way goes on. */
  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  /** A PUBLISH has reached the hook, which answers for its place in the window from now on. */
  begun(bytes: number): void {
    this.#places.begun(bytes);
  }

  /** A PUBLISH that had begun is settled, one way or the other. */
  settled(bytes: number): void {
    if (this.#places.settled(bytes)) this.#resumeInLine();
    else this.#pump();
  }

  /** Closes the connection for a reason that is counted; the first one stands. */
  refuse(reason: MqttRefusal): void {
    if (this.#refused || this.destroyed) return;
    this.#refused = true;
    if (reason === 'protocol_version') this.#socket.write(connackUnacceptableProtocol);
    this.#options.onRefused(reason);
    this.destroy();
  }

  override _read(): void {
    this.#wanted = true;
    // Not inside of aedes' read(): it would not come back for what is pushed meanwhile.
    queueMicrotask(() => this.#pump());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#write(chunk, done);
  }

  /** mqtt-packet writes a packet in several pieces; they leave as one. */
  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#write(Buffer.concat(parts.map(({ chunk }) => chunk)), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#backlog = noBytes;
    this.#options.partials.finished(this);
    this.#places.release(this.#current?.length ?? 0);
    closeSocket(this.#socket, error);
    done(error);
  }

  #write(bytes: Buffer, done: () => void): void {
    if (this.#socket.destroyed || this.#socket.write(bytes)) done();
    else this.#socket.once('drain', done);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed || this.#phase === 'disconnected') return;
    this.#backlog = this.#backlog.length === 0 ? chunk : Buffer.concat([this.#backlog, chunk]);
    this.#pump();
  }

  /** Passes what may pass, and reads the socket only while nothing is left over. */
  #pump(): void {
    if (this.destroyed) return;
    if (this.#phase === 'connect') this.#passConnect();
    else if (this.#phase === 'open' && this.#wanted && !this.isHeld) this.#passPackets();
    if (this.destroyed) return;
    const isConnecting = this.#phase === 'connect';
    if (this.#backlog.length > 0 && !isConnecting) this.#socket.pause();
    else if (!this.#held && (this.#wanted || isConnecting)) this.#socket.resume();
    if (this.#ended && (this.#backlog.length === 0 || isConnecting)) this.push(null);
  }

  #passConnect(): void {
    const frame = readConnectFrame(this.#backlog, this.#options.limits);
    if (frame.state === 'incomplete') return;
    if (frame.state === 'refused') {
      this.refuse(frame.reason);
      return;
    }
    this.#phase = 'connecting';
    const connect = this.#backlog.subarray(0, frame.size);
    this.#backlog = frame.size === this.#backlog.length ? noBytes : this.#backlog.subarray(frame.size);
    this.#wanted = this.push(connect);
  }

  #passPackets(): void {
    const bytes = this.#backlog;
    if (bytes.length === 0) return;
    this.#packetsLeft = maxPacketsAtOnce;
    const end = this.#scan(bytes);
    if (this.destroyed) return;
    // An empty view would keep the whole chunk alive for as long as the client is silent.
    this.#backlog = this.sawDisconnect || end === bytes.length ? noBytes : bytes.subarray(end);
    this.#trackPartial();
    if (end > 0) this.#wanted = this.push(bytes.subarray(0, end));
  }

  /** Walks over the packets in `bytes`; returns how much of it may pass now. */
  #scan(bytes: Buffer): number {
    let at = 0;
    while (at < bytes.length && this.#phase === 'open' && this.#packetsLeft > 0) {
      if (this.#current === undefined) {
        if (!this.#readHeader(bytes[at++] ?? 0)) return at;
        continue;
      }
      const take = Math.min(this.#left, bytes.length - at);
      // A PUBLISH needs its place before its last byte may pass.
      if (take === this.#left && isPublish(this.#current) && !this.#places.take(this.#current.length))
        return at;
      at += take;
      this.#left -= take;
      if (this.#left === 0) this.#endPacket(this.#current);
    }
    return at;
  }

  /** False when the connection was closed for it. */
  #readHeader(byte: number): boolean {
    const header = this.#header.push(byte);
    if (header === undefined) return true;
    const reason = header === 'malformed' ? header : checkHeader(header, this.#options.limits);
    if (header === 'malformed' || reason !== undefined) {
      this.refuse(reason ?? 'malformed');
      return false;
    }
    this.#current = header;
    this.#left = header.length;
    if (header.length === 0) this.#endPacket(header);
    return true;
  }

  /** The time in line was not the sender's. */
  #resumeInLine(): void {
    this.#options.partials.finished(this);
    this.#pump();
  }

  #endPacket(header: FixedHeader): void {
    this.#current = undefined;
    this.#packetsLeft--;
    if (header.type === packetType.disconnect) this.#phase = 'disconnected';
    if (isPublish(header)) this.#places.passed(header.length);
  }

  #trackPartial(): void {
    const { partials } = this.#options;
    if (this.#current === undefined && this.#header.isEmpty) partials.finished(this);
    else partials.update(this, (this.#current?.length ?? 0) - this.#left);
  }
}

import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import type { MqttRefusal } from '../../observe/mqtt.ts';
import { Answers } from './answers.ts';
import { ClientPlaces } from './client-places.ts';
import { ClientSocket } from './client-socket.ts';
import { isPublish, type PacketLimits, packetType, readConnectFrame } from './fixed-header.ts';
import { type Packet, PacketReader } from './packet-reader.ts';
import type { PartialPackets } from './partial-packets.ts';
import { type Publish, packetId, parsePublish } from './publish-packet.ts';
import type { PublishWindow } from './publish-window.ts';

export interface PacketGuardOptions {
  readonly socket: Socket;
  readonly limits: PacketLimits;
  /** Publishes of this client under way at most. */
  readonly maxUnacked: number;
  readonly window: PublishWindow;
  readonly partials: PartialPackets;
  /** Must call `begun()`, or `refuse()`, before it returns. */
  readonly onPublish: (publish: Publish) => void;
  /** PUBREL; PUBCOMP is sent in any case. */
  readonly onRelease: (messageId: number) => void;
  /** Told once, when the guard closes the connection by itself or is asked to. */
  readonly onRefused: (reason: MqttRefusal) => void;
}

const connackUnacceptableProtocol = Buffer.from([0x20, 0x02, 0x00, 0x01]);
/** aedes makes an object of some hundred bytes of each packet it reads at once; the smallest have two bytes. */
const maxPacketsAtOnce = 64;

/**
 * Stands between the socket and aedes. What is published goes to intake from here and is acknowledged from
 * here: aedes would copy it, queue it and write each PUBACK by itself. All other packets pass as they are.
 * Invariants:
 * - a packet that is too large or out of place is cut off at its header;
 * - nothing behind CONNECT passes before `open()`;
 * - a PUBLISH is looked at only after it has its place under `maxUnacked` and in the window;
 * - while it waits for that, or is held, or does not read its answers, the socket is not read;
 * - no more than `maxPacketsAtOnce` lie between here and aedes.
 */
export class PacketGuard extends Duplex {
  readonly #options: PacketGuardOptions;
  readonly #socket: ClientSocket;
  readonly #reader: PacketReader;
  readonly #places: ClientPlaces;
  readonly #answers: Answers;
  #phase: 'connect' | 'connecting' | 'open' | 'disconnected' = 'connect';
  #held = false;
  /** aedes has read what was passed. */
  #wanted = false;
  #refused = false;
  #pumping = false;

  constructor(options: PacketGuardOptions) {
    // Full after every push, so that aedes has read one before the next one is made.
    super({ allowHalfOpen: false, readableHighWaterMark: 1 });
    this.#options = options;
    this.#reader = new PacketReader(options.limits);
    this.#places = new ClientPlaces({ ...options, onGranted: () => this.#resumeInLine() });
    this.#answers = new Answers(options.socket, () => this.#pump());
    this.#socket = new ClientSocket(options.socket, {
      onBytes: (chunk) => this.#receive(chunk),
      onEnd: () => this.#pump(),
      onLost: (error) => this.destroy(error),
    });
  }

  get isHeld(): boolean {
    return this.#held || this.#places.isWaiting;
  }

  /** Whether the client said good-bye, so that its will must not be published. */
  get sawDisconnect(): boolean {
    return this.#phase === 'disconnected';
  }

  /** Whether the client does not read its answers. */
  get isBlocked(): boolean {
    return this.#answers.isBlocked;
  }

  /** Whether anything came since the last time this was asked. */
  takeHeard(): boolean {
    return this.#socket.takeHeard();
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
    this.#socket.read(false);
  }

  /** Intake has the PUBLISH, which keeps its place until it is `settled`. */
  begun(): void {
    this.#places.begun();
  }

  /** A PUBLISH that had begun is settled, one way or the other. */
  settled(bytes: number): void {
    if (this.#places.settled(bytes)) this.#resumeInLine();
  }

  /** PUBACK, or PUBREC with QoS 2. */
  acknowledge({ qos, messageId }: Publish): void {
    if (messageId !== undefined) this.#answers.add(qos === 2 ? 'pubrec' : 'puback', messageId);
  }

  /** Closes the connection for a reason that is counted; the first one stands. */
  refuse(reason: MqttRefusal): void {
    if (this.#refused || this.destroyed) return;
    this.#refused = true;
    if (reason === 'protocol_version') this.#options.socket.write(connackUnacceptableProtocol);
    this.#options.onRefused(reason);
    this.destroy();
  }

  override _read(): void {
    this.#wanted = true;
    // Not inside of aedes' read(): it would not come back for what is pushed meanwhile.
    queueMicrotask(() => this.#pump());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** mqtt-packet writes a packet in several pieces; they leave as one. */
  override _writev(parts: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.concat(parts.map(({ chunk }) => chunk)), done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#answers.flush();
    this.#reader.clear();
    this.#options.partials.finished(this);
    this.#places.release();
    this.#socket.close(error);
    done(error);
  }

  #receive(chunk: Buffer): void {
    if (this.destroyed || this.#phase === 'disconnected') return;
    this.#reader.append(chunk);
    this.#pump();
  }

  /** Passes what may pass, and reads the socket only while nothing whole is left over. */
  #pump(): void {
    // Who passes packets goes on by itself with what has become possible meanwhile.
    if (this.destroyed || this.#pumping) return;
    this.#pumping = true;
    const passedAll = this.#pass();
    this.#pumping = false;
    if (this.destroyed) return;
    this.#socket.read(passedAll && !this.#held && !this.isBlocked);
    if (this.#socket.hasEnded && passedAll) this.push(null);
  }

  /** Whether no packet waits that has arrived whole. */
  #pass(): boolean {
    if (this.#phase === 'connect') this.#passConnect();
    if (this.#phase === 'connect') return true;
    if (this.#phase === 'open') return this.#passPackets();
    return this.#reader.length === 0;
  }

  #passConnect(): void {
    const received = this.#reader.all();
    const frame = readConnectFrame(received, this.#options.limits);
    if (frame.state === 'incomplete') return;
    if (frame.state === 'refused') {
      this.refuse(frame.reason);
      return;
    }
    this.#phase = 'connecting';
    this.#reader.skip(frame.size);
    this.#wanted = this.push(received.subarray(0, frame.size));
  }

  #passPackets(): boolean {
    const others: Buffer[] = [];
    const { length } = this.#reader;
    let packet = this.#reader.first();
    while (typeof packet === 'object' && this.#passPacket(packet, others)) packet = this.#reader.first();
    // What is begun now is another packet, with a time of its own.
    if (this.#reader.length < length) this.#options.partials.finished(this);
    if (typeof packet === 'string') this.refuse(packet);
    if (this.destroyed) return false;
    if (this.sawDisconnect) this.#reader.clear();
    if (packet === undefined) this.#trackPartial();
    if (others.length > 0) this.#wanted = this.push(Buffer.concat(others));
    return packet === undefined || this.sawDisconnect;
  }

  /** False when the packet cannot pass now. What is for aedes is added to `others`. */
  #passPacket(packet: Packet, others: Buffer[]): boolean {
    const { header, bytes, start, end } = packet;
    if (this.#held || this.isBlocked || this.destroyed || this.sawDisconnect) return false;
    if (isPublish(header)) return this.#publish(packet);
    if (header.type === packetType.pubrel) {
      this.#reader.skip(end - start);
      this.#options.onRelease(packetId(packet));
      this.#answers.add('pubcomp', packetId(packet));
      return true;
    }
    if (!this.#wanted || others.length === maxPacketsAtOnce) return false;
    if (header.type === packetType.disconnect) this.#phase = 'disconnected';
    others.push(bytes.subarray(start, end));
    this.#reader.skip(end - start);
    return true;
  }

  #publish(packet: Packet): boolean {
    if (!this.#places.take(packet.header.length)) return false;
    this.#reader.skip(packet.end - packet.start);
    const publish = parsePublish(packet);
    if (publish === undefined) this.refuse('malformed');
    else this.#options.onPublish(publish);
    return !this.destroyed;
  }

  /** The time in line was not the sender's. */
  #resumeInLine(): void {
    this.#options.partials.finished(this);
    this.#pump();
  }

  #trackPartial(): void {
    const { partials } = this.#options;
    if (this.#reader.length === 0) partials.finished(this);
    else partials.update(this, this.#reader.length);
  }
}

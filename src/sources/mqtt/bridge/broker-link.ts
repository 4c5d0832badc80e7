import type { Socket } from 'node:net';
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet';
import { withDeadline } from '../../../lib/deadline.ts';
import { Answers } from '../answers.ts';
import { InOrder } from '../in-order.ts';
import type { BridgeTuning, BrokerOptions } from './bridge-contract.ts';
import { dial } from './dial.ts';
import {
  BrokerRefusal,
  checkConnack,
  checkSuback,
  connectPacket,
  subscribeId,
  subscribePacket,
  unsubscribePacket,
} from './negotiate.ts';

export interface BrokerLinkOptions extends Pick<BridgeTuning, 'connectTimeoutMs' | 'keepAliveSeconds'> {
  readonly broker: BrokerOptions;
  readonly clientId: string;
  /** Unsubscribe instead. */
  readonly retire: boolean;
  /** The broker took the CONNECT. Comes before every `onPublish`. `keptForSeconds`: if it keeps the session shorter. */
  readonly onConnected: (sessionPresent: boolean, keptForSeconds: number | undefined) => void;
  /** Or unsubscribed, to retire. */
  readonly onSubscribed: () => void;
  readonly onPublish: (publish: IPublishPacket) => void;
  /** Once, and nothing after it; without an error when `leave` was called. */
  readonly onClosed: (error: Error | undefined) => void;
}

const sessionTakenOver = 142;
const quietTicks = 3;
/** Within which the broker closes, too. */
const leaveMs = 1_000;

/**
 * One connection to the broker, from dialling to its end.
 *
 * Written over MQTT.js's codec and not its client, which handles one publish at a time and reads nothing meanwhile, PINGRESP included: while
 * JetStream is away it would lose its connection, and while it is there one publish would wait for the other's PubAck.
 */
export class BrokerLink {
  readonly answers: Answers;
  /** PUBACKs go out in the order of the publishes [MQTT-4.6.0-2]. */
  readonly inOrder = new InOrder();
  readonly #options: BrokerLinkOptions;
  readonly #socket: Socket;
  #holds = 0;
  #heard = true;
  #quiet = 0;
  #leaving = false;
  #closed = false;
  readonly #whenClosed = Promise.withResolvers<void>();
  #error: Error | undefined;
  #ping: NodeJS.Timeout | undefined;
  readonly #late: NodeJS.Timeout;

  /** @throws Error when a PEM file cannot be read */
  constructor(options: BrokerLinkOptions) {
    this.#options = options;
    const { broker, clientId, keepAliveSeconds, connectTimeoutMs } = options;
    const socket = dial(broker);
    this.#socket = socket;
    this.answers = new Answers(socket, () => this.#readOn());
    const packets = parser({ protocolVersion: broker.version === '5' ? 5 : 4 });
    packets.on('packet', (packet) => this.#guarded(() => this.#received(packet)));
    packets.on('error', (error: Error) => this.fail(error));
    socket.on(broker.url.protocol === 'mqtts:' ? 'secureConnect' : 'connect', () =>
      this.#send(connectPacket(broker, clientId, keepAliveSeconds)),
    );
    socket.on('data', (chunk: Buffer) => {
      if (this.#leaving) return;
      this.#heard = true;
      this.#guarded(() => packets.parse(chunk));
      if (this.answers.isBlocked) socket.pause();
    });
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.#ended());
    const late = `no subscription within ${connectTimeoutMs} ms`;
    this.#late = setTimeout(() => this.fail(new Error(late)), connectTimeoutMs);
  }

  get isOpen(): boolean {
    return !(this.#closed || this.#socket.destroyed);
  }

  /** Reads nothing until there were as many `release`. */
  hold(): void {
    this.#holds += 1;
    this.#socket.pause();
  }

  release(): void {
    this.#holds -= 1;
    this.#readOn();
  }

  /**
   * Writes the PUBACKs that were added, takes leave, and resolves when the connection is closed; the session stays, or with
   * MQTT 5 ends with it. What the broker sends still is read and let go: with unread bytes the end would be a reset, which
   * may overtake the PUBACKs.
   */
  async leave(endSession = false): Promise<void> {
    if (!this.isOpen) return;
    this.answers.flush();
    const ends = endSession && this.#options.broker.version === '5';
    this.#send({ cmd: 'disconnect', ...(ends ? { properties: { sessionExpiryInterval: 0 } } : {}) });
    this.#leaving = true;
    this.#socket.end();
    this.#socket.resume();
    await withDeadline(this.#whenClosed.promise, leaveMs, () => this.#socket.destroy());
  }

  fail(error: Error): void {
    this.#error ??= error;
    this.#socket.destroy();
    this.#ended();
  }

  #readOn(): void {
    if (this.#holds === 0 && !this.answers.isBlocked) this.#socket.resume();
  }

  #send(packet: Packet): void {
    if (!this.isOpen) return;
    const protocolVersion = this.#options.broker.version === '5' ? 5 : 4;
    this.#socket.write(generate(packet, { protocolVersion }));
  }

  #guarded(work: () => void): void {
    try {
      if (this.isOpen) work();
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #received(packet: Packet): void {
    const { broker, keepAliveSeconds, retire } = this.#options;
    switch (packet.cmd) {
      case 'connack':
        checkConnack(packet, broker);
        this.#keepAlive(packet.properties?.serverKeepAlive ?? keepAliveSeconds);
        this.#options.onConnected(packet.sessionPresent, packet.properties?.sessionExpiryInterval);
        this.#send(retire ? unsubscribePacket(broker) : subscribePacket(broker));
        return;
      case 'suback':
        if (packet.messageId !== subscribeId) return;
        checkSuback(packet, broker);
        this.#settled();
        return;
      case 'unsuback':
        this.#settled();
        return;
      case 'publish':
        // Subscribed at QoS 1, so never more.
        if (packet.qos === 2) throw new Error('the broker sent QoS 2 to a subscription at QoS 1');
        this.#options.onPublish(packet);
        return;
      case 'disconnect':
        throw new BrokerRefusal(explainDisconnect(packet.reasonCode, this.#options.clientId));
      default:
    }
  }

  #settled(): void {
    clearTimeout(this.#late);
    this.#options.onSubscribed();
  }

  /** PINGREQ in any case, so that the broker does not miss us while we do not read. */
  #keepAlive(seconds: number): void {
    clearInterval(this.#ping);
    if (seconds === 0) return;
    this.#ping = setInterval(() => {
      this.#send({ cmd: 'pingreq' });
      this.#quiet = this.#heard || this.#socket.isPaused() ? 0 : this.#quiet + 1;
      this.#heard = false;
      if (this.#quiet >= quietTicks) this.fail(new Error(`nothing heard of the broker for ${seconds} s`));
    }, seconds * 500);
  }

  #ended(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#ping);
    clearTimeout(this.#late);
    const error = this.#error ?? new Error('the broker closed the connection');
    this.#options.onClosed(this.#leaving ? undefined : error);
    this.#whenClosed.resolve();
  }
}

function explainDisconnect(reasonCode: number | undefined, clientId: string): string {
  if (reasonCode !== sessionTakenOver) return `the broker disconnects, reason ${reasonCode ?? 0}`;
  const remedy = 'give every bridge process a TRIBUTARY_BRIDGE_CLIENT_ID of its own';
  return `somebody else connected as ${clientId}: ${remedy}`;
}

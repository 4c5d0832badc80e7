import type { NatsConnection } from '@nats-io/nats-core';
import type { NatsConnectionImpl } from '@nats-io/nats-core/internal';
import { natsClient } from './nats-client.ts';

/**
 * Publishes texts on core NATS, fire and forget: those of one turn of the event loop leave as one buffer. The client's own
 * `publish` makes three for each. For what comes by the thousand: acks, and the feed of readings.
 */
export class CoreWriter {
  readonly #nc: NatsConnectionImpl;
  #frames = '';

  /** @throws TypeError for a connection that is not the NATS client's */
  constructor(nc: NatsConnection) {
    this.#nc = natsClient(nc);
  }

  /** Left out is what the server would close the connection for: a text that is larger than it takes. */
  publish(subject: string, text: string): void {
    const bytes = Buffer.byteLength(text);
    if (bytes > (this.#nc.info?.max_payload ?? Number.POSITIVE_INFINITY)) return;
    if (this.#frames === '') queueMicrotask(() => this.flush());
    this.#frames += `PUB ${subject} ${bytes}\r\n${text}\r\n`;
  }

  /** Hands over at once what was published, so that what the connection does next comes after it. */
  flush(): void {
    if (this.#frames === '') return;
    const frames = Buffer.from(this.#frames);
    this.#frames = '';
    // On a closed connection nobody hears it, and nothing fails.
    if (!this.#nc.isClosed()) this.#nc.protocol.sendCommand(frames);
  }
}

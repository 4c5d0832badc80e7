import { connect as connectSocket, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { MqttClient } from 'mqtt';
import { withDeadline } from '../../lib/deadline.ts';
import { type MqttDestination, renderTopic } from '../../model/route-destination.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import { type AddressGuard, isAddressRefused } from '../address/guarded-lookup.ts';
import { describeError, type Outcome, printable } from '../outcome.ts';
import { placeOf } from '../place.ts';
import { templateValues } from '../render.ts';
import type { Sender } from '../sender.ts';

export interface BrokerOptions {
  readonly destination: MqttDestination & { readonly url: string };
  readonly secrets: RouteSecrets;
  readonly guard: AddressGuard;
  readonly timeoutMs: number;
  /** Of the connection, unique: a broker keeps one connection for each. */
  readonly clientId: string;
}

const ports: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 };

/** Publishes at QoS 1 to somebody else's broker, over one connection that is made when it is needed. */
export function createBrokerSender(options: BrokerOptions): Sender {
  const { destination, timeoutMs, guard } = options;
  const url = new URL(destination.url);
  let connection: Connection | undefined;
  const connected = () => {
    if (connection === undefined || connection.isOver) connection = new Connection(options, url);
    return connection;
  };
  return {
    destination: placeOf(destination),
    async send({ jobs: [job] }): Promise<Outcome> {
      const topic = job === undefined ? undefined : renderTopic(destination.topic, templateValues(job));
      if (job === undefined || topic === undefined) {
        const detail = `the topic template ${destination.topic} gives one that must not be published`;
        return { kind: 'dead', reason: 'UNDELIVERABLE', detail };
      }
      const late = () => {
        // Whether it takes anything still is not known: the next attempt dials anew.
        connection?.end();
        throw new Error(`no PUBACK within ${timeoutMs} ms`);
      };
      try {
        guard.requireAllowed(hostOf(url));
        await withDeadline(connected().publish(topic, job.text), timeoutMs, late);
        return { kind: 'delivered' };
      } catch (error) {
        const detail = describeError(error);
        // The reason names the code already.
        if (isAddressRefused(error))
          return { kind: 'dead', reason: 'ADDRESS_REFUSED', detail: printable(error.message) };
        return { kind: 'retry', error: detail, unwell: true };
      }
    },
    close: () => connection?.end(),
  };
}

/** One connection to a broker; when it ends, it fails all that is under way, and another is made. */
class Connection {
  readonly #client: MqttClient;
  readonly #ready = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<never>();
  isOver = false;

  constructor({ destination, secrets, guard, timeoutMs, clientId }: BrokerOptions, url: URL) {
    this.#over.promise.catch(() => undefined);
    this.#ready.promise.catch(() => undefined);
    const { username } = destination;
    const { password } = secrets;
    this.#client = new MqttClient(() => openSocket(url, guard), {
      clientId,
      clean: true,
      protocolVersion: 4,
      reconnectPeriod: 0,
      connectTimeout: timeoutMs,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    this.#client.on('connect', () => this.#ready.resolve());
    this.#client.on('error', (error) => this.#ended(error));
    this.#client.on('close', () => this.#ended(new Error('the broker closed the connection')));
  }

  async publish(topic: string, text: string): Promise<void> {
    await Promise.race([this.#ready.promise, this.#over.promise]);
    await Promise.race([this.#client.publishAsync(topic, text, { qos: 1 }), this.#over.promise]);
  }

  end(): void {
    this.#ended(new Error('the connection was closed'));
  }

  #ended(error: Error): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#over.reject(error);
    this.#client.end(true);
  }
}

function openSocket(url: URL, { lookup }: AddressGuard): Socket {
  const host = hostOf(url);
  const port = url.port === '' ? (ports[url.protocol] ?? 1883) : Number(url.port);
  return url.protocol === 'mqtts:'
    ? connectTls({ host, port, lookup, servername: host })
    : connectSocket({ host, port, lookup });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}

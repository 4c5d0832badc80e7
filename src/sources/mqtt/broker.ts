import { randomUUID } from 'node:crypto';
import {
  Aedes,
  type AedesOptions,
  type AuthenticateError,
  type Client,
  type ConnectPacket,
  type Subscription,
} from 'aedes';
import type { Logger } from 'pino';
import type { MqttMetrics } from '../../observe/mqtt.ts';
import { checkToken, type JudgeOptions, judgeCredentials } from './credentials.ts';
import type { Ingest } from './ingest.ts';
import { createNoPersistence } from './no-persistence.ts';
import type { Session } from './session.ts';
import { isOwnFilter } from './topics.ts';

export interface BrokerOptions extends JudgeOptions {
  readonly ingest: Ingest;
  readonly metrics: MqttMetrics;
  readonly log: Logger;
  readonly sessionOf: (connection: object) => Session | undefined;
  readonly connectTimeoutMs: number;
  /**
   * A CONNECT that the registry cannot vouch for is judged a second time after this time: the cache may lag
   * behind a device that was added a moment ago. It also slows guessing down.
   */
  readonly secondLookMs: number;
  readonly maxFilters: number;
  /** Who has more than that waiting to be sent does not read, and is closed. */
  readonly maxUnsentBytes: number;
}

/** Builds the broker; `listen()` starts it. */
export function createBroker(options: BrokerOptions): Aedes {
  const { sessionOf } = options;
  const broker = new Aedes({
    ...createHooks(options),
    connectTimeout: options.connectTimeoutMs,
    // MQTT 3.1 allows 23 characters, but by now the id is ours.
    maxClientsIdLength: 65_535,
    // A subscriber that does not read would hold up all the others otherwise; `maxUnsentBytes` bounds it.
    concurrency: 0,
    persistence: createNoPersistence(),
  });
  broker.on('clientReady', (client: Client) => sessionOf(client.conn)?.guard.open());
  return broker;
}

function createHooks(options: BrokerOptions): AedesOptions {
  /** A fault of ours costs this connection, and not the process with all others. */
  const attempt = async (client: Client | null, work: (session: Session) => void | Promise<void>) => {
    const session = client === null ? undefined : options.sessionOf(client.conn);
    if (session === undefined) return;
    try {
      await work(session);
    } catch (error) {
      const about = { event: 'mqtt_handler_failed', err: error, remote: session.remote };
      options.log.error(about, 'mqtt handler failed');
      session.guard.refuse('refused');
    }
  };
  return {
    preConnect: (client, packet, done) =>
      attempt(client, async (session) => {
        await judgeConnect(session, packet, options);
        done(null, true);
      }),
    authenticate: (client, _username, _password, done) =>
      attempt(client, ({ connectRefusal }) => {
        if (connectRefusal === undefined) done(null, true);
        else done(authenticateError(connectRefusal), false);
      }),
    // The guard lets no PUBLISH through: what came this way would be delivered and not be made durable.
    authorizePublish: (_client, _packet, done) =>
      done(new Error('publishing does not go through the broker')),
    authorizeForward: (client, packet) =>
      refuseSlow(options.sessionOf(client.conn), options.maxUnsentBytes) ? null : packet,
    authorizeSubscribe: (client, subscription, done) =>
      attempt(client, (session) =>
        done(null, maySubscribe(session, subscription, options) ? subscription : null),
      ),
  };
}

/** Told for each subscriber of each message: not passed on to one whose connection is full already. */
function refuseSlow(session: Session | undefined, maxUnsentBytes: number): boolean {
  if (session === undefined || session.guard.writableLength <= maxUnsentBytes) return false;
  session.guard.refuse('slow_subscriber');
  return true;
}

function authenticateError({
  reason,
  returnCode,
}: NonNullable<Session['connectRefusal']>): AuthenticateError {
  return Object.assign(new Error(reason), { returnCode });
}

/**
 * Judges a CONNECT and rewrites it for aedes: a client id that nobody else can have, no session to keep, and
 * no will, since the listener publishes that itself.
 */
async function judgeConnect(session: Session, packet: ConnectPacket, options: BrokerOptions): Promise<void> {
  const credentials = { username: packet.username, password: packet.password };
  let judgement = judgeCredentials(credentials, options);
  if (!judgement.ok && judgement.reason !== 'anonymous') {
    await new Promise((resolve) => setTimeout(resolve, options.secondLookMs));
    judgement = judgeCredentials(credentials, options);
  }
  const { clientId, clean, will } = packet;
  // Kept by the listener: the broker does not see what is published.
  session.keepAliveSeconds = packet.keepalive ?? 0;
  packet.keepalive = 0;
  delete packet.will;
  packet.clean = true;
  packet.clientId = randomUUID();
  if (!isClientId(clientId, clean === true)) {
    session.connectRefusal = { reason: 'client_id', returnCode: 2 };
    return;
  }
  if (!judgement.ok) {
    session.connectRefusal = judgement;
    return;
  }
  const { identity } = judgement;
  session.identity = identity;
  if (will !== undefined) {
    if (typeof options.ingest.permitTopic(session, will.topic) === 'string') {
      session.connectRefusal = { reason: 'will_topic', returnCode: 5 };
      return;
    }
    session.will = { topic: will.topic, payload: Buffer.from(will.payload) };
  }
  // Only a device that proved itself may take a connection over from itself.
  if (identity.kind === 'device' && identity.verified && clientId !== '') {
    packet.clientId = `${identity.username}/${clientId}`;
  }
}

/** U+FFFD stands for bytes that were not UTF-8 [MQTT-1.5.3-1]; an empty id needs a clean session [MQTT-3.1.3-7]. */
function isClientId(clientId: string, clean: boolean): boolean {
  if (clientId === '') return clean;
  return !clientId.includes('\0') && !clientId.includes('\ufffd');
}

function maySubscribe(session: Session, subscription: Subscription, options: BrokerOptions): boolean {
  const { identity } = session;
  const isPermitted =
    identity?.kind === 'device' &&
    options.registry.fresh &&
    checkToken(identity.device, identity.tokenSha256, options) === undefined &&
    isOwnFilter(identity.device, subscription.topic) &&
    session.filters < options.maxFilters;
  if (isPermitted) session.filters++;
  else options.metrics.refused('subscription');
  return isPermitted;
}

import { createInbox, credsAuthenticator, type NatsConnection } from '@nats-io/nats-core';
import { NatsConnectionImpl } from '@nats-io/nats-core/internal';
import { connect as connectOverNode, type NodeConnectionOptions } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { TlsWantedError, useBunTransport } from './bun-transport.ts';
import { paceRedials } from './redial.ts';

export interface NatsConnectOptions {
  /** One or several, comma separated: `nats://user:password@host:4222`, `tls://…`; a user without password is a token. */
  readonly url: string;
  /** Shown in the server's list of connections. */
  readonly name: string;
  readonly log: Logger;
  /**
   * First tokens of the inboxes on which this connection's answers arrive. One of its own for each role lets the server
   * forbid that one role reads what was asked by another. Default: the client's.
   */
  readonly inboxPrefix?: string;
  readonly security?: NatsSecurity;
  /** Milliseconds, monotonic. Default: `performance.now`. */
  readonly clock?: () => number;
  /** 0 ≤ x < 1. Default: `Math.random`. */
  readonly random?: () => number;
}

/** Who we are to the server, and who it must be; with any of the certificates connections are encrypted. */
export interface NatsSecurity {
  /** A credentials file's content: JWT and seed. It comes before what the address says. */
  readonly creds?: Uint8Array | undefined;
  /** PEM: the authorities that vouch for the servers. Default: the system's. */
  readonly ca?: string | undefined;
  /** PEM: our own certificate and its key, for servers that ask for one. */
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** How the connection is kept; the outage must be noticed and ended well within the contract's seconds. */
export const connectionDefaults = {
  connectTimeoutMs: 5_000,
  reconnectWaitMs: 250,
  reconnectJitterMs: 250,
  /** A server that answers no ping for two of these is given up, and dialled again. */
  pingIntervalMs: 5_000,
  maxPingsOut: 2,
} as const;

export class NatsUnreachableError extends Error {
  override readonly name = 'NatsUnreachableError';
}

/**
 * Connects to NATS and stays connected: after an outage it dials again for ever. The first attempt is made
 * once per server.
 *
 * @throws NatsUnreachableError with one sentence that names the address and the remedy
 */
export async function connectNats(options: NatsConnectOptions): Promise<NatsConnection> {
  const { clock = () => performance.now(), random = Math.random } = options;
  const connectionOptions = parseNatsUrl(options.url);
  let connection: NatsConnection;
  try {
    connection = await dial({
      ...connectionOptions,
      ...securityOptions(options.security ?? {}),
      ...(options.inboxPrefix === undefined ? {} : { inboxPrefix: options.inboxPrefix }),
      name: options.name,
      maxReconnectAttempts: -1,
      ignoreAuthErrorAbort: true,
      waitOnFirstConnect: false,
      noAsyncTraces: true,
      timeout: connectionDefaults.connectTimeoutMs,
      ...paceRedials({
        waitMs: connectionDefaults.reconnectWaitMs,
        jitterMs: connectionDefaults.reconnectJitterMs,
        clock,
        random,
      }),
      pingInterval: connectionDefaults.pingIntervalMs,
      maxPingOut: connectionDefaults.maxPingsOut,
    });
  } catch (cause) {
    const servers = [connectionOptions.servers ?? []].flat().join(', ');
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new NatsUnreachableError(
      `Cannot reach NATS at ${servers}: ${why}. Start nats-server there, or set NATS_URL to one that runs.`,
      { cause },
    );
  }
  logStatus(connection, options.log);
  return connection;
}

function securityOptions({ creds, ca, cert, key }: NatsSecurity): NodeConnectionOptions {
  const tls = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert, key: key ?? '' }),
  };
  return {
    ...(creds === undefined ? {} : { authenticator: credsAuthenticator(creds) }),
    ...(Object.keys(tls).length === 0 ? {} : { tls }),
  };
}

/** A subject of this connection's own for answers. */
export function newInbox(nc: NatsConnection): string {
  return createInbox(nc instanceof NatsConnectionImpl ? nc.options.inboxPrefix : undefined);
}

/** Plain connections over the runtime's socket, encrypted ones as the client does them. */
async function dial(options: NodeConnectionOptions): Promise<NatsConnection> {
  if (options.tls !== undefined) return connectOverNode(options);
  useBunTransport();
  try {
    return await NatsConnectionImpl.connect(options);
  } catch (error) {
    if (error instanceof TlsWantedError) return connectOverNode(options);
    throw error;
  }
}

/**
 * The client ignores credentials in an address, so they are read here.
 *
 * @throws TypeError for an address that is none
 */
export function parseNatsUrl(
  url: string,
): Pick<NodeConnectionOptions, 'servers' | 'user' | 'pass' | 'token' | 'tls' | 'ignoreClusterUpdates'> {
  const parts = url
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const parsed = parts.map((part) => parseServer(part));
  const secret = parsed.find((server) => server.username !== '');
  return {
    servers: parsed.map((server) => server.host),
    // What servers tell of one another may not be reachable from here: who names several has named those that are.
    ...(parsed.length > 1 ? { ignoreClusterUpdates: true } : {}),
    ...(secret === undefined ? {} : credentialsOf(secret)),
    ...(parsed.some((server) => server.protocol === 'tls:') ? { tls: {} } : {}),
  };
}

function parseServer(text: string): URL {
  const withScheme = text.includes('://') ? text : `nats://${text}`;
  const server = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (server === undefined || server.host === '' || !['nats:', 'tls:'].includes(server.protocol)) {
    // The text itself may hold a password.
    throw new TypeError('NATS_URL holds an address that is not nats://host:port or tls://host:port');
  }
  return server;
}

function credentialsOf(server: URL): { user: string; pass: string } | { token: string } {
  const user = decodeURIComponent(server.username);
  return server.password === '' ? { token: user } : { user, pass: decodeURIComponent(server.password) };
}

function logStatus(connection: NatsConnection, log: Logger): void {
  void (async () => {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') log.warn({ server: status.server }, 'nats disconnected');
      else if (status.type === 'reconnect') log.info({ server: status.server }, 'nats reconnected');
      else if (status.type === 'error') log.warn({ error: status.error.message }, 'nats reported an error');
      else if (status.type === 'staleConnection') log.warn('nats answers no pings: dialling again');
    }
  })();
}

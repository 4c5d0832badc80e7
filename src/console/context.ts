import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Actor } from '../model/actor.ts';
import type { ConsoleMetrics } from '../observe/console.ts';
import type { OpenSession } from './access/sessions.ts';
import type { LiveSink } from './event-stream.ts';
import type { InstallationService } from './installation-service.ts';
import type { QuarantineService } from './quarantine-service.ts';
import type { ReadingsFeed } from './readings-feed.ts';
import type { RouteService } from './route-service.ts';

/**
 * What operations work with. The role hands it in; what comes from a room that the console may not import (the worker's
 * replay, a role's status) is a member of its own here.
 */
export interface ConsoleServices {
  readonly pool: pg.Pool;
  /** The connection, once there was one. */
  readonly nats: () => NatsConnection | undefined;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly quarantine: QuarantineService;
  readonly installation: InstallationService;
  readonly readings: ReadingsFeed;
  readonly routes: RouteService;
  /** Aborted when the process is to end: live streams end with it. */
  readonly stopping: AbortSignal;
  readonly metrics: ConsoleMetrics;
  readonly doors: DoorSettings;
}

/** What the settings say about where devices reach the doors. */
export interface DoorSettings {
  readonly httpPort: number;
  readonly mqttPort: number;
  readonly publicHttpUrl: string | undefined;
  readonly publicMqttUrl: string | undefined;
}

/** One change, for the audit log. */
export interface AuditNote<T = unknown> {
  /** What was done to what: `device.create`. */
  readonly action: string;
  /** The id or name of what was changed. */
  readonly target: string;
  /** What a reader of the log wants to know besides; never a secret. */
  readonly detail?: Readonly<Record<string, unknown>> | ((result: T) => Readonly<Record<string, unknown>>);
}

/** What a handler has besides its input. */
export interface OperationContext {
  readonly services: ConsoleServices;
  readonly actor: Actor;
  /** Undefined where the request came with a key. */
  readonly session: OpenSession | undefined;
  /** Its `signal` is aborted when the client goes away. The body is read already, but for uploads. */
  readonly request: Request;
  /** Came over TLS, as far as we can know. */
  readonly isSecure: boolean;
  /**
   * For answers that take long: a revoked key ends them, too.
   *
   * @throws Problem `unauthorized` once key or session are none any more
   */
  requireStillAllowed(): Promise<void>;
  /**
   * Runs statements in one read-only transaction. Under `/tenants/{tenant_id}` row-level security shows it that tenant
   * and no other, whoever asks; elsewhere (operators only) it sees all.
   */
  read<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /**
   * Runs a change and writes its row of the audit log in one transaction. Nothing holds these statements to the
   * tenant but their own tenant id.
   */
  change<T>(note: AuditNote<T>, work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /**
   * Answers with server-sent events until the client goes away, the process ends or the key is revoked. `start` begins
   * to send, and returns what ends that.
   */
  live(start: (sink: LiveSink) => () => void): Response;
}

/** What the one operation that needs no key has. */
export type OpenContext = Pick<OperationContext, 'services' | 'request' | 'isSecure'>;

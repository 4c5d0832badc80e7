import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import { withDeadline } from '../../../lib/deadline.ts';
import type { TenantId } from '../../../model/identifiers.ts';
import { consumerInfo, messagesOf, orMissing, streamInfo } from '../../../stream/stream-info.ts';
import { consumerName, streamName, telemetrySubject } from '../../../stream/subjects.ts';
import { natsAnswers } from '../../servers/answers.ts';
import { askRoles, type RoleAnswer } from '../../status/probe-nats.ts';

export interface OverviewSources {
  readonly nats: () => NatsConnection | undefined;
  readonly pool: pg.Pool;
  readonly databaseAnswers: () => Promise<boolean>;
  readonly durability: () => string | undefined;
  /** From here on the doors accept nothing more; the server's own limit lies above. */
  readonly streamMaxBytes: number;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

export interface StreamLook {
  readonly bytes: number;
  readonly maxBytes: number;
  /** Not settled yet: of all, or of the tenant. */
  readonly backlog: number;
}

/** How the installation stands at one moment. */
export interface Look {
  readonly atMs: number;
  readonly natsAnswers: boolean;
  readonly databaseAnswers: boolean;
  /** What each says, or, where one tenant was asked for, what it says of that tenant. */
  readonly roles: readonly RoleAnswer[];
  /** Undefined: JetStream does not answer. Null: there is no stream. */
  readonly stream: StreamLook | null | undefined;
}

/** JetStream may be away where NATS is not; a look is not to wait for it. */
const streamMs = 1_000;

/** Takes two seconds at most, whoever is away. */
export async function lookAt(sources: OverviewSources, tenantId: TenantId | undefined): Promise<Look> {
  const nc = sources.nats();
  const [isThere, databaseAnswers] = await Promise.all([natsAnswers(nc), sources.databaseAnswers()]);
  const [roles, stream] =
    nc === undefined || !isThere
      ? [[], undefined]
      : await Promise.all([
          askRoles(nc, tenantId === undefined ? undefined : { tenant: tenantId }).catch(() => []),
          withDeadline(lookAtStream(nc, tenantId, sources.streamMaxBytes), streamMs, () => undefined).catch(
            () => undefined,
          ),
        ]);
  const told = tenantId === undefined ? roles : roles.map((role) => ofTenant(role, tenantId));
  return { atMs: sources.now(), natsAnswers: isThere, databaseAnswers, roles: told, stream };
}

async function lookAtStream(
  nc: NatsConnection,
  tenantId: TenantId | undefined,
  limit: number,
): Promise<StreamLook | null> {
  const [stream, backlog] = await Promise.all([
    orMissing(streamInfo(nc, streamName)),
    tenantId === undefined
      ? waitingAndInHand(nc)
      : orMissing(messagesOf(nc, streamName, telemetrySubject(tenantId))),
  ]);
  if (stream === undefined || backlog === undefined) return null;
  const maxBytes = stream.maxBytes > 0 ? Math.min(stream.maxBytes, limit) : limit;
  return { bytes: stream.state.bytes, maxBytes, backlog };
}

async function waitingAndInHand(nc: NatsConnection): Promise<number | undefined> {
  const consumer = await orMissing(consumerInfo(nc, streamName, consumerName));
  return consumer === undefined ? undefined : consumer.pending + consumer.ackPending;
}

/**
 * As if the role had heard of nobody else. One of a version that tells nothing by tenant has counted nothing: what it
 * says of all tenants is none of this one's business.
 */
export function ofTenant(answer: RoleAnswer, tenantId: string): RoleAnswer {
  const { role, id, version, pid, host, uptimeMs, tenant } = answer;
  const base = { role, id, version, pid, host, uptimeMs };
  const isAsked =
    typeof tenant === 'object' && tenant !== null && 'tenantId' in tenant && tenant.tenantId === tenantId;
  return isAsked ? { ...tenant, ...base } : base;
}

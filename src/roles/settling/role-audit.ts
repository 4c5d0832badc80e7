import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { type Auditor, type AuditSummary, createAuditor } from '../../audit/auditor.ts';
import { createAuditMetrics } from '../../observe/audit.ts';
import { auditSubject, consumerName, streamName } from '../../stream/subjects.ts';

export interface RoleAuditorOptions {
  readonly nats: () => NatsConnection | undefined;
  readonly pool: pg.Pool;
  readonly metrics: Registry;
  readonly log: Logger;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  /** Milliseconds since the epoch. */
  readonly wallClock: () => number;
}

/** The auditor of a worker: what it finds it tells all who listen, the gateways' `/flow` for one. */
export function createRoleAuditor({ nats, metrics, ...options }: RoleAuditorOptions): Auditor {
  return createAuditor({
    ...options,
    nats,
    stream: streamName,
    consumer: consumerName,
    metrics: createAuditMetrics(metrics),
    onAudit: (summary) => {
      const nc = nats();
      if (nc?.isClosed() === false) nc.publish(auditSubject, JSON.stringify(summary));
    },
  });
}

/** What a worker's status says of the audit: nothing unless it is the one that audits, and it works. */
export function auditOf({ summary }: Auditor): { readonly audit?: AuditSummary } {
  return summary === undefined ? {} : { audit: summary };
}

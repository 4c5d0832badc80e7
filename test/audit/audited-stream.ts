import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import { type Audit, takeAudit } from '../../src/audit/take-audit.ts';
import { compactClaims } from '../../src/store/maintenance/compact-claims.ts';
import { createPool } from '../../src/store/pool.ts';
import { beginSettling } from '../../src/store/settling-lock.ts';
import { addToLedger } from '../../src/store/statements/add-to-ledger.ts';
import { claim } from '../../src/store/statements/claim.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { type PulledMessage, type Puller, startPuller } from '../../src/stream/puller.ts';
import { consumerName, streamName } from '../../src/stream/subjects.ts';
import { ensureTopology } from '../../src/stream/topology.ts';
import { createEpochs } from '../../src/worker/epochs.ts';
import type { TestNats } from '../harness/nats.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { until } from '../harness/until.ts';
import { silent, startTestStream, testTopology } from '../stream/stream-fixture.ts';
import { type Snapshot, takeSnapshot } from './snapshot.ts';

export interface AuditedStream {
  readonly nats: TestNats;
  readonly nc: NatsConnection;
  readonly pool: pg.Pool;
  audit(): Promise<Audit>;
  publish(count: number): Promise<void>;
  /** The next messages, `count` of them. */
  pull(count: number): Promise<PulledMessage[]>;
  /** Claims and counts them as stored, as settling does; the ack is the test's. */
  settle(messages: readonly PulledMessage[]): Promise<void>;
  /** All claims of all epochs become marks. */
  compact(): Promise<void>;
  api(name: string, body?: unknown): Promise<unknown>;
  /** Deletes the stream and makes it anew. */
  recreate(): Promise<void>;
  snapshot(): Promise<Snapshot>;
  /** After the server was started again: the connection is there, and JetStream answers. */
  answersAgain(): Promise<void>;
  /** Runs `restore` while nobody pulls, and forgets what was pulled before. */
  restoreFrom(restore: () => Promise<void>): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A stream and a database with the parts of settling that the audit sees. */
export async function startAuditedStream(): Promise<AuditedStream> {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const pool = createPool({ databaseUrl: database.url, max: 4, name: 'tributary test', log: silent });
  cleanup.defer(() => pool.end());
  const { nats, nc } = cleanup.use(await startTestStream({ ackWaitMs: 1_000 }));
  let puller = pullerOf(nc);
  cleanup.defer(() => puller.stop());
  const epochs = createEpochs(pool, streamName);
  const held: PulledMessage[] = [];
  // On a busy machine a test may take longer than the ack wait: what comes again meanwhile is not a next message.
  const seen = new Set<number>();
  const settleOne = async (message: PulledMessage): Promise<void> => {
    const epoch = await epochs.of(message);
    const isElsewhere = await inTransaction(
      pool,
      async (db) => {
        const { claimed, elsewhere } = await claim(db, epoch, [message]);
        const counts = { stored: claimed.size, duplicates: 0, quarantined: 0, internal: 0 };
        await addToLedger(db, epoch, 0, counts);
        return elsewhere.size > 0;
      },
      beginSettling,
    );
    if (!isElsewhere) return;
    await epochs.corrected(epoch, [message]);
    await settleOne(message);
  };
  const api = async (name: string, body?: unknown) => {
    const reply = await nc.request(`$JS.API.${name}`, body === undefined ? '' : JSON.stringify(body));
    return reply.json();
  };
  const restoreFrom = async (restore: () => Promise<void>) => {
    await puller.stop();
    held.length = 0;
    seen.clear();
    await restore();
    puller = pullerOf(nc);
  };
  const owned = cleanup.move();
  return {
    nats,
    nc,
    pool,
    api,
    restoreFrom,
    audit: () => takeAudit({ nc, pool, stream: streamName }),
    async publish(count) {
      for (let i = 0; i < count; i += 1) nc.publish('telemetry.acme', '{}');
      await nc.flush();
    },
    async pull(count) {
      while (held.length < count) {
        for (const message of (await puller.next()) ?? []) {
          if (!seen.has(message.seq)) held.push(message);
          seen.add(message.seq);
        }
      }
      return held.splice(0, count);
    },
    async settle(messages) {
      for (const message of messages) await settleOne(message);
    },
    async compact() {
      const { rows } = await pool.query<{ epoch: number; to: string }>(
        'select epoch, max(seq)::text as "to" from claims group by epoch',
      );
      const targets = rows.map(({ epoch, to }) => ({ epoch, to: Number(to) }));
      await compactClaims(pool, { targets, minRows: 1, waitMs: 5_000 });
    },
    recreate: () =>
      restoreFrom(async () => {
        await api(`STREAM.DELETE.${streamName}`);
        await ensureTopology(nc, { ...testTopology, ackWaitMs: 1_000 });
      }),
    async answersAgain() {
      await until(() => nc.flush().then(() => true), { what: 'NATS answers again' });
      await until(() => api(`STREAM.INFO.${streamName}`), { what: 'JetStream answers again' });
    },
    snapshot: () => takeSnapshot(nc, streamName),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function pullerOf(nc: NatsConnection): Puller {
  return startPuller({
    nc,
    stream: streamName,
    consumer: consumerName,
    batchSize: 10_000,
    lingerMs: 0,
    maxBuffered: 20_000,
    log: silent,
    onMissing: async () => {},
  });
}

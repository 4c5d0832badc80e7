import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import { type Audit, takeAudit } from '../../src/audit/take-audit.ts';
import { createPool } from '../../src/store/pool.ts';
import { beginSettling } from '../../src/store/settling-lock.ts';
import { addToLedger } from '../../src/store/statements/add-to-ledger.ts';
import { claim } from '../../src/store/statements/claim.ts';
import { inTransaction } from '../../src/store/transaction.ts';
import { type PulledMessage, startPuller } from '../../src/stream/puller.ts';
import { consumerName, streamName } from '../../src/stream/subjects.ts';
import { createEpochs } from '../../src/worker/epochs.ts';
import type { TestNats } from '../harness/nats.ts';
import { createTestDatabase } from '../harness/postgres.ts';
import { silent, startTestStream } from '../stream/stream-fixture.ts';

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
  api(name: string, body?: unknown): Promise<unknown>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A stream and a database with the parts of settling that the audit sees. */
export async function startAuditedStream(): Promise<AuditedStream> {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await createTestDatabase());
  const pool = createPool({ databaseUrl: database.url, max: 4, name: 'tributary test', log: silent });
  cleanup.defer(() => pool.end());
  const { nats, nc } = cleanup.use(await startTestStream());
  const puller = startPuller({
    nc,
    stream: streamName,
    consumer: consumerName,
    batchSize: 10_000,
    lingerMs: 0,
    maxBuffered: 20_000,
    log: silent,
    onMissing: async () => {},
  });
  cleanup.defer(() => puller.stop());
  const epochs = createEpochs(pool, streamName);
  const held: PulledMessage[] = [];
  const owned = cleanup.move();
  return {
    nats,
    nc,
    pool,
    audit: () => takeAudit({ nc, pool, stream: streamName }),
    async publish(count) {
      for (let i = 0; i < count; i += 1) nc.publish('telemetry.acme', '{}');
      await nc.flush();
    },
    async pull(count) {
      while (held.length < count) held.push(...((await puller.next()) ?? []));
      return held.splice(0, count);
    },
    async settle(messages) {
      for (const message of messages) {
        const epoch = await epochs.of(message);
        await inTransaction(
          pool,
          async (db) => {
            const { claimed } = await claim(db, epoch, [message]);
            const counts = { stored: claimed.size, duplicates: 0, quarantined: 0, internal: 0 };
            await addToLedger(db, epoch, 0, counts);
          },
          beginSettling,
        );
      }
    },
    async api(name, body) {
      const reply = await nc.request(`$JS.API.${name}`, body === undefined ? '' : JSON.stringify(body));
      return reply.json();
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

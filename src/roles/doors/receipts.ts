import type pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from '../../config/settings.ts';
import { type SettledWaits, startSettledWaits } from '../../intake/settled-waits.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { type Fate, fateOf } from '../../model/fate.ts';
import { createReceiptBook, parseReceiptKey, type Receipt, streamLifeOf } from '../../model/receipt.ts';
import type { ReceiptsOptions } from '../../sources/http/receipts.ts';
import { maintenanceDefaults } from '../../store/maintenance/maintenance-contract.ts';
import { createPool } from '../../store/pool.ts';
import { selectDeliveries } from '../../store/receipts/select-deliveries.ts';
import { selectEvidence } from '../../store/receipts/select-evidence.ts';
import { streamName } from '../../stream/subjects.ts';
import { soon } from '../process/goodbye.ts';
import { requireDatabaseUrl } from '../servers/addresses.ts';
import type { Door } from './door.ts';

export interface RoleReceipts {
  readonly options: ReceiptsOptions;
  drain(): Promise<void>;
}

const receiptsDefaults = {
  connections: 2,
  /** Questions under way at most; a receipt is no reason to queue up for a database that is slow. */
  maxQuestions: 64,
  answerMs: 3_000,
} as const;

export interface RoleReceiptsOptions {
  readonly config: Config;
  readonly door: Pick<Door, 'connected' | 'streamCreated'>;
  readonly id: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly wallClock: () => number;
}

/**
 * Gives receipts, and reads them with connections of its own, which are made when the first is read.
 * @throws Error with one sentence for a key that is none
 */
export function startRoleReceipts(options: RoleReceiptsOptions): RoleReceipts {
  const { config, door, id, log, now, wallClock } = options;
  const book = bookOf(config);
  if (book === undefined) {
    log.info({ event: 'receipts_off' }, 'no receipts are given: TRIBUTARY_RECEIPT_KEY is not set');
  }
  const pool = createPool({
    databaseUrl: requireDatabaseUrl(config),
    max: receiptsDefaults.connections,
    name: 'tributary gateway receipts',
    log,
    timeouts: { connectTimeoutMs: receiptsDefaults.answerMs, statementTimeoutMs: receiptsDefaults.answerMs },
  });
  const ask = limited(pool);
  const find = async (receipts: readonly Receipt[]): Promise<Fate[]> => {
    const evidence = await ask((db) => selectEvidence(db, streamName, receipts));
    const limits = { keepKeysMs: maintenanceDefaults.keepKeysHours * 3_600_000, nowMs: wallClock() };
    return evidence.flatMap((each, index) => {
      const receipt = receipts[index];
      return receipt === undefined ? [] : fateOf(receipt, each, limits);
    });
  };
  let waits: SettledWaits | undefined;
  void door.connected.then((nc) => {
    waits = startSettledWaits({ nc, id, find, maxWaiting: config.maxWaiting, now });
  });
  return {
    options: {
      book,
      streamLife: createStreamLife(door.streamCreated),
      find,
      deliveries: ({ identity, arrivedAtMs }) => ask((db) => selectDeliveries(db, identity, arrivedAtMs)),
      waits: () => waits,
      retentionMs: config.retentionDays * 86_400_000,
    },
    drain: async () => {
      await soon(pool.end());
    },
  };
}

function bookOf({ receiptKey }: Config) {
  if (receiptKey === undefined) return undefined;
  try {
    return createReceiptBook(parseReceiptKey(receiptKey));
  } catch (error) {
    throw new Error(`TRIBUTARY_RECEIPT_KEY: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}

function createStreamLife(streamCreated: Door['streamCreated']): () => number {
  let known = { created: '', life: 0 };
  return () => {
    const created = streamCreated();
    if (created !== undefined && created !== known.created) known = { created, life: streamLifeOf(created) };
    return known.life;
  };
}

function limited(pool: pg.Pool) {
  let asking = 0;
  return async <T>(question: (db: pg.Pool) => Promise<T>): Promise<T> => {
    if (asking >= receiptsDefaults.maxQuestions) throw new Error('too many receipts are being read');
    asking += 1;
    try {
      return await withDeadline(question(pool), receiptsDefaults.answerMs, () => {
        throw new Error(`the database did not answer within ${receiptsDefaults.answerMs} ms`);
      });
    } finally {
      asking -= 1;
    }
  };
}

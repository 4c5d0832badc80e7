import type { Reading } from '../model/verdict.ts';
import { sqlstateOf } from '../store/errors.ts';
import { insertTelemetry, type TelemetryRow } from '../store/statements/insert-telemetry.ts';
import { deleteMessageKeys } from '../store/statements/message-keys.ts';
import type { Queryable } from '../store/statements/queryable.ts';
import { isolate } from './isolate.ts';
import { type Claimed, quarantine } from './plan.ts';

interface OpenMessage {
  readonly message: Claimed;
  readonly row: TelemetryRow;
}

/** Inserts what is still open: a row, a duplicate, or what the database refuses with its SQLSTATE. */
export async function storeReadings(
  db: Queryable,
  epoch: number,
  messages: readonly Claimed[],
): Promise<void> {
  const open = messages.flatMap((message) => openMessage(message, epoch) ?? []);
  const { results, refused } = await isolate(db, open, (part) =>
    insertTelemetry(
      db,
      part.map(({ row }) => row),
    ),
  );
  const refusedMessages = new Map(refused.map(({ row, error }) => [row.message, error]));
  const stored = new Set(results.flatMap((seqs) => [...seqs]));
  for (const { message, row } of open) {
    const error = refusedMessages.get(message);
    if (error !== undefined) reject(message, error);
    else message.outcome = stored.has(row.streamSeq) ? 'stored' : 'duplicate';
  }
  if (refused.length > 0)
    await giveUpKeys(
      db,
      messages,
      refused.map(({ row }) => row.message),
    );
}

function reject(message: Claimed, error: unknown): void {
  const sqlstate = sqlstateOf(error);
  quarantine(message, {
    reason: 'STORE_REJECTED',
    detail: `the database refused the row with SQLSTATE ${sqlstate ?? 'unknown'}`,
    ...(sqlstate === undefined ? {} : { sqlstate }),
  });
}

/** What was refused must not own its key, and its resends in the same batch are no duplicates of anything. */
async function giveUpKeys(
  db: Queryable,
  messages: readonly Claimed[],
  refused: readonly Claimed[],
): Promise<void> {
  const verdicts = new Map(
    refused
      .filter(({ entry }) => entry.decoded.identity.kind === 'key')
      .map(({ entry, verdict }) => [entry.decoded.identity.identity, verdict]),
  );
  if (verdicts.size === 0) return;
  await deleteMessageKeys(db, [...verdicts.keys()]);
  for (const message of messages) {
    const verdict = verdicts.get(message.entry.decoded.identity.identity);
    if (message.outcome === 'duplicate' && verdict?.outcome === 'quarantine')
      quarantine(message, verdict.rejection);
  }
}

function openMessage(message: Claimed, epoch: number): OpenMessage | undefined {
  const { entry, verdict, outcome } = message;
  if (outcome !== 'open' || verdict.outcome !== 'accept') return undefined;
  return {
    message,
    row: telemetryRow(verdict.reading, entry.decoded.identity.identity, epoch, entry.message.seq),
  };
}

function telemetryRow(reading: Reading, identity: string, epoch: number, streamSeq: number): TelemetryRow {
  const { timeUs, tenantId, deviceId, siteId, msgType, seq, metricsText, extraText, arrivedAtMs } = reading;
  return {
    timeUs,
    identity,
    tenantId,
    deviceId,
    siteId,
    msgType,
    seq,
    metricsText,
    extraText,
    arrivedAtMs,
    epoch,
    streamSeq,
  };
}

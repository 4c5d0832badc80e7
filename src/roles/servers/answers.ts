import type { NatsConnection } from '@nats-io/nats-core';
import type pg from 'pg';
import { withDeadline } from '../../lib/deadline.ts';

export interface AnswersOptions {
  readonly nats: () => NatsConnection | undefined;
  readonly databaseAnswers: () => Promise<boolean>;
}

const answerMs = 1_000;

/** Whether the database answers now; never throws. */
export function createDatabaseAnswers(pool: pg.Pool): () => Promise<boolean> {
  // One question at a time: a frozen server must not take a connection of the pool for each.
  let asked: Promise<boolean> | undefined;
  return () => {
    asked ??= pool
      .query('select 1')
      .then(
        () => true,
        () => false,
      )
      .finally(() => {
        asked = undefined;
      });
    return withDeadline(asked, answerMs, () => false);
  };
}

/** Asks both servers; resolves to who does not answer now, undefined when both do. */
export function createAnswers({ nats, databaseAnswers }: AnswersOptions): () => Promise<string | undefined> {
  return async () => {
    const [natsIsThere, databaseIsThere] = await Promise.all([natsAnswers(nats()), databaseAnswers()]);
    const away = [natsIsThere ? [] : ['NATS'], databaseIsThere ? [] : ['PostgreSQL']].flat();
    return away.length === 0 ? undefined : `${away.join(' and ')} ${away.length === 1 ? 'is' : 'are'} away`;
  };
}

export async function natsAnswers(nc: NatsConnection | undefined): Promise<boolean> {
  if (nc === undefined || nc.isClosed()) return false;
  return withDeadline(
    nc.flush().then(() => true),
    answerMs,
    () => false,
  ).catch(() => false);
}

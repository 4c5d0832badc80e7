import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import { explainPostgresFailure } from '../../store/explain-failure.ts';
import { migrate } from '../../store/migrate.ts';
import { createPool } from '../../store/pool.ts';
import { withHeadroom } from '../../stream/headroom.ts';
import { ensureTopology } from '../../stream/topology.ts';
import { orUpError, type UpContext } from './context.ts';
import { type DemoDevice, ensureDemoDevice, ensureOperatorKey } from './demo.ts';
import { UpError } from './up-error.ts';

export interface Prepared {
  /** Undefined when it was deleted or its token changed. */
  readonly demo: DemoDevice | undefined;
  /** Undefined when there was one already. */
  readonly newOperatorKey: string | undefined;
}

/** Brings the schema up to date and registers the demo device and an operator key. */
export async function prepareDatabase(
  { config, folder, progress }: UpContext,
  databaseUrl: string,
  log: Logger,
): Promise<Prepared> {
  const pool = createPool({ databaseUrl, max: 2, name: 'tributary up', log });
  try {
    await progress.step(
      'migrating the database',
      () =>
        orUpError('cannot migrate the database', async () => {
          const origin = config.databaseUrl === undefined ? 'our own' : 'DATABASE_URL';
          return migrate(pool, { log }).catch((error: unknown) => {
            const explained = explainPostgresFailure(error, databaseUrl, origin);
            throw explained === undefined ? error : new UpError(explained.text, { cause: error });
          });
        }),
      ({ applied }) => (applied.length === 0 ? 'ok' : `${applied.length} applied`),
    );
    return await progress.step('checking the demo device and the operator key', () =>
      orUpError('cannot use the registry', async () => {
        const newOperatorKey = await ensureOperatorKey(folder.operatorKeyFile, pool, randomBytes);
        return { newOperatorKey, demo: await ensureDemoDevice(folder.demoFile, pool, randomBytes) };
      }),
    );
  } finally {
    await pool.end();
  }
}

/** Makes the streams that are missing and says how others differ from what is wanted; those are left as they are. */
export async function prepareStreams({ config, progress }: UpContext, nc: NatsConnection): Promise<void> {
  const report = await progress.step('checking the streams', () =>
    orUpError('cannot make the streams', () => ensureTopology(nc, withHeadroom(config))),
  );
  for (const part of [...report.streams, ...report.consumers]) {
    for (const difference of part.differences)
      progress.note(`${part.name} differs from the settings: ${difference}`);
  }
}

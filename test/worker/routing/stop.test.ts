import { expect, test } from 'bun:test';
import { until } from '../../harness/until.ts';
import { createRoutingWorld } from './routing-world.ts';

test('a sweep that waits for a database that does not answer holds up no stop', async () => {
  await using world = await createRoutingWorld();
  const { drain } = await world.start();
  const other = await world.pool.connect();
  try {
    await other.query('begin; lock table route_outbox');
    const waiting = async () => {
      const { rows } = await other.query<{ n: number }>(
        `select count(*)::int as n from pg_locks where not granted and relation = 'route_outbox'::regclass`,
      );
      return (rows[0]?.n ?? 0) > 0;
    };
    await until(waiting, { what: 'the sweep waits for the table' });
    await drain();
    expect(await waiting()).toBeTrue();
  } finally {
    await other.query('rollback');
    other.release();
  }
});

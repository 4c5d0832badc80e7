import { expect, test } from 'bun:test';
import { checkRollups } from '../../../src/prove/check/check-rollups.ts';
import { withDatabase } from '../../store/with-database.ts';

test('a roll-up that is not what its rows give is found, unless it is owed', async () => {
  await withDatabase({}, async ({ pool }) => {
    await pool.query(`select ensure_telemetry_partition('2026-11-25T00:00:00Z')`);
    const insert = (second: number, value: string) =>
      pool.query(
        `insert into telemetry (time, identity, tenant_id, device_id, site_id, msg_type, metrics, arrived_at, stream_epoch, stream_seq)
         values ($1::timestamptz + $2 * interval '1 s', gen_random_uuid(), 't', 'd', 's', 'telemetry', jsonb_build_object('a', $3::numeric, 'b', 'x'), now(), 1, $2)`,
        ['2026-11-25T00:00:00Z', second, value],
      );
    await insert(0, '1.5');
    await insert(1, '2.5');
    expect(await checkRollups(pool)).toEqual([]);
    await pool.query(
      `update rollup_mark set mark_from = '2026-11-25T00:05:00Z', rolled_to = '2026-11-25T00:05:00Z'`,
    );
    const kinds = async () => (await checkRollups(pool)).map(({ kind, what }) => `${kind}: ${what}`);
    expect(await kinds()).toEqual([
      expect.stringMatching(/^latest: the roll-up of t\/d a at .* of no numbers, its rows hold 2,/),
    ]);
    await pool.query(
      `insert into telemetry_rollup values ('t', 'd', '2026-11-25T00:00:00Z', 'a', 2, 4, 1.5, 2.5)`,
    );
    expect(await kinds()).toEqual([]);
    for (const wrong of ['sum = 5', 'min = 1', 'max = 3', 'count = 3']) {
      await pool.query(`update telemetry_rollup set count = 2, sum = 4, min = 1.5, max = 2.5`);
      await pool.query(`update telemetry_rollup set ${wrong}`);
      expect(await kinds()).toHaveLength(1);
    }
    await pool.query(`insert into rollup_owed values ('t', 'other', '2026-11-25T00:00:00Z')`);
    expect(await kinds()).toHaveLength(1);
    await pool.query(`update telemetry_rollup set count = 2`);
    // Late: the trigger owes its bucket.
    await insert(2, '7');
    expect(await kinds()).toEqual([]);
    await pool.query('delete from rollup_owed');
    expect(await kinds()).toHaveLength(1);
  });
});

import type { World } from '../world.ts';
import type { Example, Examples } from './example.ts';

/** One quarantined message of tenant `own` that could be stored but for its metrics. */
export async function quarantined({ pool }: World, reason = 'METRICS_INVALID'): Promise<string> {
  const { rows } = await pool.query<{ id: bigint }>(
    `insert into quarantine (reason, detail, tenant_id, device_id, msg_type, subject, arrived_at, envelope, identity,
       identity_kind, stream_epoch, stream_seq, token_sha256, budget)
     values ($1, 'no', 'own', 'own-1', 'telemetry', 'telemetry.own', now(), convert_to($2, 'UTF8'), gen_random_uuid(),
       'fresh', 1, 1, sha256('token of own-1'), 'own')
     returning quarantine_id as id`,
    [
      reason,
      '{"topic":"tenant/own/device/own-1/telemetry","tenant_id":"own","device_id":"own-1","msg_type":"telemetry",' +
        `"username":"","payload":{"site_id":"plain","metrics":[]},"ts":${Date.now()}}`,
    ],
  );
  return String(rows[0]?.id);
}

export const goodPayload = '{"site_id":"plain","metrics":{"temp":12345678901234567890.1}}';

const one = async (world: World): Promise<Example> => ({
  params: { quarantine_id: await quarantined(world) },
  status: 200,
});
const mend = async (world: World): Promise<Example> => ({
  ...(await one(world)),
  body: { payload: goodPayload },
});
const foresee = { body: { all: true, dry_run: true, vouch: true }, status: 200 };
const purge = { body: { reason: 'TOKEN_INVALID', before: '2000-01-01T00:00:00Z' }, status: 200 };
const stats = { query: { from: '2026-01-01T00:00:00Z', bucket: '86400s' }, status: 200 };

const replayOf = async ({ pool }: World): Promise<Example> => {
  const { rows } = await pool.query<{ replay_id: number }>(
    `insert into replays (operator, filter, tenant_id, total) values ('test', '{"all":true}', 'own', 1) returning replay_id`,
  );
  return { params: { replay_id: String(rows[0]?.replay_id) }, status: 200 };
};

export const quarantineExamples: Examples = {
  listQuarantined: { query: { reason: 'METRICS_INVALID', mended: 'false', limit: '1' }, status: 200 },
  countQuarantined: { ...stats, query: {} },
  getQuarantined: one,
  mendQuarantined: mend,
  replayQuarantined: foresee,
  getReplay: replayOf,
  purgeQuarantined: purge,
  listRejectedOfDevice: { query: { from: '2026-01-01T00:00:00Z' }, status: 200 },
  listAllQuarantined: { query: { device_id: 'foreign-1' }, status: 200 },
  countAllQuarantined: stats,
  getAllQuarantined: one,
  mendAllQuarantined: async (world) => ({
    ...(await one(world)),
    body: { payload: JSON.parse(goodPayload) },
  }),
  replayAllQuarantined: { body: { reason: 'BAD_ENVELOPE' }, status: 200 },
  getAnyReplay: replayOf,
  purgeAllQuarantined: { body: { all: true, dry_run: true }, status: 200 },
};

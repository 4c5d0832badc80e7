import type { World } from '../world.ts';
import type { Example, Examples } from './example.ts';

/** A dead letter of a message that is stored, of an enabled route of the tenant. */
export async function deadLetter({ pool }: World, tenant = 'own', detail = 'refused'): Promise<string> {
  await pool.query(
    `insert into routes (tenant_id, name, topic_filter, destination) values ($1, 'dead', '#', '{"kind":"nats","subject":"out.x"}')
     on conflict do nothing`,
    [tenant],
  );
  const { rows } = await pool.query<{ id: bigint }>(
    `insert into dead_letters (tenant_id, route_id, route_name, reason, detail, kind, time, identity, attempts)
     select $1, route_id, name, 'GAVE_UP', $2, 'message', t.time, t.identity, 3
     from routes r cross join lateral (select * from telemetry where tenant_id = $1 order by stream_seq limit 1) t
     where r.tenant_id = $1 and name = 'dead'
     returning dead_letter_id as id`,
    [tenant, detail],
  );
  return String(rows[0]?.id);
}

const some = async (world: World): Promise<Example> => {
  await deadLetter(world);
  return { body: { route: 'dead', reason: 'GAVE_UP' }, status: 200 };
};

export const deadLetterExamples: Examples = {
  listDeadLetters: async (world) => {
    await deadLetter(world);
    return { query: { route: 'dead', from: '2026-01-01T00:00:00Z', limit: '1' }, status: 200 };
  },
  getDeadLetter: async (world) => ({ params: { dead_letter_id: await deadLetter(world) }, status: 200 }),
  replayDeadLetters: some,
  purgeDeadLetters: some,
};

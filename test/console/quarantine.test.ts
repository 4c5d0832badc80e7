import { afterAll, beforeAll, expect, test } from 'bun:test';
import { until } from '../harness/until.ts';
import { goodPayload, quarantined } from './operation-examples/quarantine.ts';
import { createWorld, hidden, type KeyName, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
  await world.pool.query(`insert into stream_epochs (stream, created) values ('TELEMETRY', 'x')`);
  await world.pool.query('insert into ledger (epoch, shard, quarantined) values (1, 0, 100)');
});
afterAll(() => world.close());

const own = '/tenants/own/quarantine';
const post = (path: string, body: unknown, key: KeyName = 'write') => world.call('POST', path, { key, body });

async function settled(replayId: unknown) {
  const path = `/tenants/own/replays/${replayId}`;
  let progress: Record<string, unknown> = {};
  await until(
    async () => {
      progress = (await world.call('GET', path, { key: 'read' })).json as typeof progress;
      return progress.done === true;
    },
    { what: 'the replay is done' },
  );
  return progress;
}

const lastAudit = async () =>
  (
    await world.pool.query<Record<string, unknown>>(
      `select action, target, tenant_id, actor_name, detail::text from audit_log order by entry_id desc limit 1`,
    )
  ).rows[0];

test('a message is looked at, mended, replayed and stored, and each step is in the audit log', async () => {
  const id = await quarantined(world);
  const { json: listed } = await world.call('GET', `${own}?reason=METRICS_INVALID`, { key: 'read' });
  expect(listed).toMatchObject({ items: [{ id: Number(id), mended: false, tenant_id: 'own' }], next: null });
  const { json: shown } = await world.call('GET', `${own}/${id}`, { key: 'read' });
  expect(shown).toMatchObject({
    payload: '{"site_id":"plain","metrics":[]}',
    mended_payload: null,
    intact: true,
  });
  expect((await post(`${own}/${id}/mend`, { payload: '{"metrics":[]}' })).json).toMatchObject({
    passes: false,
    reason: 'MISSING_SITE_ID',
  });
  expect((await post(`${own}/${id}/mend`, { payload: goodPayload })).json).toEqual({
    id: Number(id),
    passes: true,
    reason: null,
    detail: null,
  });
  expect(await lastAudit()).toMatchObject({
    action: 'quarantine.mend',
    target: id,
    tenant_id: 'own',
    actor_name: 'write',
  });
  const begun = await post(`${own}/replay`, { ids: [id] });
  expect(begun).toMatchObject({ status: 202, json: { total: 1 } });
  const { replay_id: replayId } = begun.json as { replay_id: number };
  expect(await settled(replayId)).toMatchObject({
    state: 'done',
    total: 1,
    stored: 1,
    duplicate: 0,
    quarantined: 0,
    by: 'tenant key write',
    selection: { tenant_id: 'own', ids: [id] },
  });
  expect(await lastAudit()).toMatchObject({ action: 'quarantine.replay', tenant_id: 'own' });
  const { rows } = await world.pool.query<{ metrics: string }>(
    `select metrics::text from telemetry where tenant_id = 'own' order by arrived_at desc limit 1`,
  );
  expect(rows[0]?.metrics).toBe('{"temp": 12345678901234567890.1}');
  expect((await world.call('GET', `${own}/${id}`, { key: 'read' })).status).toBe(404);
});

test('an object keeps its numbers as they are written, and a token is refused', async () => {
  const id = await quarantined(world);
  const raw = { 'Content-Type': 'application/json' };
  const body = `{"payload":{"site_id":"plain","metrics":{"n":0.12345678901234567890123}}}`;
  expect((await world.call('POST', `${own}/${id}/mend`, { key: 'write', headers: raw, body })).status).toBe(
    200,
  );
  const shown = await world.call('GET', `${own}/${id}`, { key: 'read' });
  expect(shown.json).toMatchObject({ mended_by: 'tenant key write', mended: true });
  expect(shown.text).toContain('0.12345678901234567890123');
  const refused = await post(`${own}/${id}/mend`, { payload: '{"provision_token":"secret-token"}' });
  expect(refused).toMatchObject({
    status: 400,
    json: { detail: expect.stringContaining('provision token') },
  });
  expect(refused.text).not.toContain('secret-token');
});

test('what the token does not show takes a vouch, with the words that are noted', async () => {
  const id = await quarantined(world);
  await world.pool.query(`update quarantine set token_sha256 = sha256('wrong') where quarantine_id = $1`, [
    id,
  ]);
  expect((await post(`${own}/${id}/mend`, { payload: goodPayload })).json).toMatchObject({
    reason: 'TOKEN_INVALID',
  });
  const dry = await post(`${own}/replay`, { ids: [id], dry_run: true });
  expect(dry.json).toMatchObject({ stored: 0, quarantined: 1, reasons: { TOKEN_INVALID: 1 } });
  const refused = (await post(`${own}/replay`, { ids: [Number(id)] })).json as { replay_id: number };
  expect(await settled(refused.replay_id)).toMatchObject({ stored: 0, quarantined: 1 });
  const vouched = (await post(`${own}/replay`, { ids: [id], vouch: true, because: 'ticket 17' })).json as {
    replay_id: number;
  };
  expect(await settled(vouched.replay_id)).toMatchObject({ stored: 1, vouched_because: 'ticket 17' });
  expect(String((await lastAudit())?.detail)).toContain('ticket 17');
});

test('nobody reaches another tenant’s messages, by their ids or all at once', async () => {
  const { rows } = await world.pool.query<{ id: bigint }>(
    `select quarantine_id as id from quarantine where tenant_id = 'foreign'`,
  );
  const foreign = String(rows[0]?.id);
  for (const answer of [
    await world.call('GET', `${own}/${foreign}`, { key: 'admin' }),
    await post(`${own}/${foreign}/mend`, { payload: '{}' }, 'admin'),
  ])
    expect(answer.status).toBe(404);
  expect((await post(`${own}/replay`, { ids: [foreign] }, 'admin')).json).toEqual({
    replay_id: null,
    total: 0,
  });
  expect((await post(`${own}/purge`, { ids: [foreign] }, 'admin')).json).toMatchObject({
    messages: 0,
    purged: 0,
  });
  await quarantined(world);
  expect((await post(`${own}/purge`, { all: true }, 'admin')).json).toMatchObject({ dry_run: false });
  const { rows: left } = await world.pool.query<{ tenant_id: string }>('select tenant_id from quarantine');
  expect(left).toEqual([{ tenant_id: 'foreign' }]);
  const all = await world.call('GET', '/quarantine', { key: 'operator' });
  expect(all.text).toContain(hidden);
  expect((await world.call('GET', '/quarantine', { key: 'admin' })).status).toBe(403);
  // A replay of an operator over all is no tenant's.
  await world.pool.query(`insert into replays (operator, filter) values ('op', '{}')`);
  const { rows: last } = await world.pool.query<{ id: number }>('select max(replay_id) as id from replays');
  expect((await world.call('GET', `/tenants/own/replays/${last[0]?.id}`, { key: 'admin' })).status).toBe(404);
});

test('a replay whose process is gone reads as lost, one that ended early as failed', async () => {
  const stateAfter = async (columns: string, values: string) => {
    const { rows } = await world.pool.query<{ id: number }>(
      `insert into replays (operator, filter, tenant_id, total, ${columns}) values ('x', '{}', 'own', 5, ${values})
       returning replay_id as id`,
    );
    const { json } = await world.call('GET', `/tenants/own/replays/${rows[0]?.id}`, { key: 'read' });
    const { state, done } = json as { state: string; done: boolean };
    return [state, done];
  };
  expect(await stateAfter('updated_at', `now() - interval '1 minute'`)).toEqual(['running', false]);
  expect(await stateAfter('updated_at', `now() - interval '3 minutes'`)).toEqual(['lost', true]);
  expect(await stateAfter('finished_at, error', `now(), 'stopped'`)).toEqual(['failed', true]);
  expect(await stateAfter('finished_at', 'now()')).toEqual(['done', true]);
});

test('nothing is done to everything unless that is said', async () => {
  for (const what of ['replay', 'purge']) {
    const answer = await post(`${own}/${what}`, {});
    expect(answer).toMatchObject({ status: 400, json: { detail: expect.stringContaining('all: true') } });
  }
});

test('stats count what is held by reason and time, and totals are the tenant’s own', async () => {
  await quarantined(world, 'SITE_MISMATCH');
  await world.pool.query(
    `insert into quarantine_totals (budget, reason, day, quarantined) values
       ('own', 'SITE_MISMATCH', current_date, 7), ('foreign', 'TOKEN_INVALID', current_date, 9)`,
  );
  const { json } = await world.call('GET', `${own}/stats?bucket=3600s`, { key: 'read' });
  const totalsOf = (answer: unknown) =>
    (answer as { totals: { tenant_id: string; reason: string; held: number; quarantined: number }[] }).totals;
  const own7 = totalsOf(json).find(({ reason }) => reason === 'SITE_MISMATCH');
  expect(own7).toMatchObject({ held: 1, quarantined: 7 });
  const tenants = (answer: unknown) => new Set(totalsOf(answer).map(({ tenant_id: id }) => id));
  expect(tenants(json)).toEqual(new Set(['own']));
  expect(json).toMatchObject({ bucket_ms: 3_600_000, reasons: { SITE_MISMATCH: { count: [1] } } });
  const all = await world.call('GET', `/quarantine/stats`, { key: 'operator' });
  expect(tenants(all.json)).toContain('foreign');
  expect(
    (await world.call('GET', `${own}/stats?from=2020-01-01T00:00:00Z&bucket=1s`, { key: 'read' })).status,
  ).toBe(400);
});

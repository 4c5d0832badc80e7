import { afterAll, beforeAll, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { until } from '../harness/until.ts';
import { createWorld, type World } from './world.ts';

const rows = 5_200;
const startMs = Date.UTC(2026, 10, 25);
const at = (second: number) => new Date(startMs + second * 1_000).toISOString().replace('Z', '000Z');

let world: World;
/** Transactions begun so far. */
let begun = 0;
beforeAll(async () => {
  world = await createWorld({
    services: (services) => {
      const { pool } = services;
      const connect = pool.connect.bind(pool) as (...given: unknown[]) => unknown;
      const counted = (...given: unknown[]) => {
        // With a callback it is one statement of its own.
        if (given.length === 0) begun += 1;
        return connect(...given);
      };
      Object.assign(pool, { connect: counted });
      return services;
    },
  });
  await world.pool.query(
    `insert into devices (tenant_id, device_id, site_id) values ('own', 'busy', 's1'), ('own', 'idle', 's1')`,
  );
  // Two of the same moment each: pages end between them.
  await world.pool.query(
    `insert into telemetry
     select $1::timestamptz + (n / 2) * interval '1 s', lpad(to_hex(n * 7919 % 100003), 32, '0')::uuid, 'own', 'busy', 's, "1"', 'telemetry', n,
            jsonb_build_object('temp', n / 10.0, 'note', case n % 3 when 0 then 'a,"b"' else 'plain' end), null, $1::timestamptz + n * interval '1 s', 1, n
     from generate_series(0, $2::int - 1) n`,
    [at(0), rows],
  );
  await world.pool.query(
    `insert into sensors select 'own', 'busy', metric, type, unit, now(), value, $1, now(), 1
     from (values ('note', 'string', null, '"plain"'::jsonb), ('temp', 'number', '°C', '12345678901234567890.10')) v (metric, type, unit, value)`,
    [at(9)],
  );
});
afterAll(() => world.close());

const path = '/tenants/own/devices/busy/telemetry';
const get = (query: string, headers: Record<string, string> = {}) =>
  world.call('GET', `${path}${query}`, { key: 'read', headers });

interface Page {
  readonly items: readonly { readonly time: string; readonly seq: number; readonly metrics: object }[];
  readonly next: string | null;
}

test.each(['asc', 'desc'])('pages hold every reading once, also of one moment (%s)', async (order) => {
  const range = `&from=${at(0)}&to=${at(20)}`;
  const seqs: number[] = [];
  let cursor = '';
  do {
    const { json } = await get(`?order=${order}&limit=7${range}${cursor}`);
    const page = json as Page;
    seqs.push(...page.items.map(({ seq }) => seq));
    cursor = page.next === null ? '' : `&cursor=${page.next}`;
  } while (cursor !== '');
  expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 40 }, (_, n) => n));
  const seconds = seqs.map((seq) => Math.floor(seq / 2));
  expect(seconds).toEqual(seconds.toSorted((a, b) => (order === 'asc' ? a - b : b - a)));
});

test('only the metrics that are asked for, of messages that have one', async () => {
  const { json } = await get('?metric=temp&metric=none&limit=1&order=asc');
  expect((json as Page).items).toMatchObject([{ time: at(0), metrics: { temp: expect.any(Number) } }]);
  expect((json as Page).items[0]?.metrics).not.toHaveProperty('note');
  expect((await get('?metric=none')).json).toEqual({ items: [], next: null });
});

test('numbers come out as they were sent, in JSON, CSV and NDJSON', async () => {
  for (const format of ['json', 'csv', 'ndjson']) {
    const { text } = await world.call(
      'GET',
      `/tenants/own/devices/own-1/telemetry?metric=temp&format=${format}`,
      { key: 'read' },
    );
    expect(text).toContain('12345678901234567890.5');
    expect(text).toContain('2026-11-24T12:00:00.123456Z');
  }
});

test('CSV is all of the range, with a column for each sensor', async () => {
  const { text, headers } = await get('?order=asc', { Accept: 'text/csv' });
  expect(headers.get('Content-Type')).toBe('text/csv; charset=utf-8');
  expect(headers.get('Content-Disposition')).toBe('attachment; filename="own-busy.csv"');
  const lines = text.split('\n');
  expect(lines.length).toBe(rows + 2);
  expect(lines[0]).toBe('time,arrived_at,site_id,msg_type,seq,note,temp');
  expect(lines.toSorted().find((line) => line.includes(',0,"a,'))).toBe(
    `${at(0)},${at(0)},"s, ""1""",telemetry,0,"a,""b""",0`,
  );
  expect(new Set(lines).size).toBe(rows + 2);
});

test('no text of a device is a formula in a spreadsheet; numbers and NDJSON stay as they were sent', async () => {
  await world.pool.query(
    `insert into telemetry values ($1, '00000000-0000-0000-0000-0000000000f0', 'own', 'formula', '@SUM(1)', 'telemetry', 1,
       '{"=cmd": "+1", "a": "=HYPERLINK(\\"x\\")", "b": -5, "c": "-2+3", "d": "plain", "e": "\\t=1"}', null, $1, 1, 900001)`,
    [at(0)],
  );
  const metrics = ['=cmd', 'a', 'b', 'c', 'd', 'e'].map((metric) => `metric=${encodeURIComponent(metric)}`);
  const of = async (format: string) =>
    (
      await world.call(
        'GET',
        `/tenants/own/devices/formula/telemetry?format=${format}&${metrics.join('&')}`,
        { key: 'read' },
      )
    ).text;
  expect(await of('csv')).toBe(
    `time,arrived_at,site_id,msg_type,seq,'=cmd,a,b,c,d,e\n` +
      `${at(0)},${at(0)},'@SUM(1),telemetry,1,'+1,"'=HYPERLINK(""x"")",-5,'-2+3,plain,'\t=1\n`,
  );
  expect(await of('ndjson')).toContain('"c": "-2+3"');
});

test('NDJSON has all that was sent; a limit and a cursor hold for it, too', async () => {
  const { text, headers } = await get('', { Accept: 'application/x-ndjson, */*' });
  expect(headers.get('Content-Type')).toBe('application/x-ndjson; charset=utf-8');
  const seqs = text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { seq: number }).seq);
  expect(new Set(seqs).size).toBe(rows);
  const first = (await get('?limit=3')).json as Page;
  const after = await get(`?format=ndjson&limit=3&cursor=${first.next}`, { Accept: 'application/json' });
  expect(
    after.text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { seq: number }).seq),
  ).toEqual(seqs.slice(3, 6));
});

test('a client that does not read holds its file up, and one that goes away ends it', async () => {
  const pages = 80;
  await world.pool.query(
    `insert into telemetry select $1::timestamptz + n * interval '1 s', gen_random_uuid(), 'own', 'idle', 's1', 'telemetry', n,
       jsonb_build_object('text', repeat('x', 100)), null, now(), 1, n
     from generate_series(1, $2::int * 1000) n`,
    [at(0), pages],
  );
  const server = Bun.serve({ port: 0, fetch: (request) => world.console.fetch(request, '192.0.2.1') });
  const socket = connect(server.port ?? 0, '127.0.0.1');
  try {
    const before = begun;
    socket.pause();
    socket.write(
      `GET /api/v1/tenants/own/devices/idle/telemetry?format=ndjson HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: Bearer ${world.keys.read}\r\n\r\n`,
    );
    let [seen, still] = [-1, 0];
    const standsStill = () => {
      still = seen === begun ? still + 1 : 0;
      seen = begun;
      return still >= 5;
    };
    await until(() => standsStill() && begun > before + 1, { what: 'it stands still', everyMs: 200 });
    expect(begun - before).toBeLessThan(pages / 2);
    socket.destroy();
    await until(() => server.pendingRequests === 0, { what: 'the request has ended' });
    expect(begun - seen).toBeLessThanOrEqual(1);
  } finally {
    socket.destroy();
    await server.stop(true);
    await world.pool.query(`delete from telemetry where device_id = 'idle'`);
  }
});

test('a file is cut off when its key is revoked, as a live stream is', async () => {
  const made = await world.call('POST', '/tenants/own/keys', {
    key: 'admin',
    body: { name: 'exporter', level: 'read' },
  });
  const { key, key_id: keyId } = made.json as { key: string; key_id: number };
  const response = await world.console.fetch(
    new Request(`http://console.test/api/v1${path}?format=ndjson`, {
      headers: { Authorization: `Bearer ${key}` },
    }),
    '192.0.2.1',
  );
  const reader = response.body?.getReader();
  let lines = 0;
  const read = async () => {
    const chunk = await reader?.read();
    lines += new TextDecoder().decode(chunk?.value).split('\n').length - 1;
    return chunk?.done === false;
  };
  await read();
  await world.call('DELETE', `/tenants/own/keys/${keyId}`, { key: 'admin' });
  const rest = (async () => {
    while (await read());
  })();
  expect(rest).rejects.toThrow('A valid key is needed');
  await rest.catch(() => undefined);
  expect(lines).toBeGreaterThan(0);
  expect(lines).toBeLessThan(rows);
});

test('latest is the newest reading, and the latest value of each metric', async () => {
  const { json, text } = await get('/latest');
  expect(json).toMatchObject({
    reading: { time: at(rows / 2 - 1) },
    values: { note: { value: 'plain', unit: null }, temp: { time: at(9), unit: '°C' } },
  });
  expect(text).toContain('"value":12345678901234567890.10');
  const idle = await world.call('GET', '/tenants/own/devices/idle/telemetry/latest', { key: 'read' });
  expect(idle.json).toEqual({ reading: null, values: {} });
});

const series = (query: string) =>
  world.call('GET', `/tenants/own/devices/busy/series${query}`, { key: 'read' });

test('a series has the buckets that points allow, or the one that is asked for', async () => {
  const { json } = await series(`?metric=temp&from=${at(0)}&to=${at(40)}&bucket=20s`);
  expect(json).toEqual({
    from: at(0),
    to: at(40),
    bucket_ms: 20_000,
    metrics: {
      temp: {
        t: [startMs, startMs + 20_000],
        min: [0, 4],
        avg: [1.95, 5.95],
        max: [3.9, 7.9],
        count: [40, 40],
      },
    },
  });
  const day = await series(`?from=${at(0)}&to=${at(86_400)}&points=100`);
  expect(day.json).toMatchObject({ bucket_ms: 900_000, metrics: { temp: { count: [1_800, 1_800, 1_600] } } });
  expect(day.text).not.toContain('note');
  expect((await series('?metric=temp')).json).toMatchObject({ bucket_ms: 120_000 });
});

test.each([
  ['?from=2026-11-25T00:00:00Z&to=2026-11-25T00:00:00Z', 'from: '],
  ['?from=2026-11-25', 'from: '],
  ['?bucket=7m', 'bucket: 7m is longer than 5m, and no whole multiple of it'],
  ['?bucket=0s', 'bucket: 0s is no time'],
  ['?bucket=1s', 'bucket: 1s cuts the range into more than 5000'],
  ['?points=1', 'points: 1 '],
  ['?metric=', 'metric.0: '],
  [`?${'metric=a&'.repeat(51)}`, 'metric: '],
])('a series is refused with what is wrong: %s', async (query, detail) => {
  const { status, json } = await series(query);
  expect(status).toBe(400);
  expect((json as { detail: string }).detail).toStartWith(detail);
});

test('gaps are those that the command shows', async () => {
  const day = '?from=2026-11-24T00:00:00Z&to=2026-11-26T00:00:00Z';
  const own = await world.call('GET', `/tenants/own/devices/own-1/gaps${day}`, { key: 'read' });
  expect(own.json).toMatchObject({ received: 1, missing: 0, first_seq: 1, last_seq: 1, ranges: [] });
  const { status } = await world.call('GET', '/tenants/own/devices/own-1/gaps?from=2020-01-01T00:00:00Z', {
    key: 'read',
  });
  expect(status).toBe(400);
});

test('a device of nobody or of another tenant is not found, and one that was deleted can still be read', async () => {
  const parts = ['telemetry', 'telemetry?format=csv', 'telemetry/latest', 'series', 'gaps'];
  for (const part of parts)
    for (const device of ['nobody', 'foreign-1']) {
      expect([
        part,
        (await world.call('GET', `/tenants/own/devices/${device}/${part}`, { key: 'admin' })).status,
      ]).toEqual([part, 404]);
    }
  await world.pool.query(`delete from devices where device_id = 'own-1'`);
  expect(
    (await world.call('GET', '/tenants/own/devices/own-1/telemetry', { key: 'read' })).json,
  ).toMatchObject({ items: [{}] });
});

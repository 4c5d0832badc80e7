import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import type { IntakeResult } from '../../../src/intake/intake.ts';
import { type Door, devicePath, openDoor, refusal, storedResult, token, told } from './door.ts';

let result: IntakeResult = storedResult;
const door: Door = openDoor(() => result);
afterAll(() => door.drain());
beforeEach(() => {
  result = storedResult;
  door.taken.length = 0;
});

const path = (tenant: string, device = 'd1', msgType = 'telemetry') =>
  `/ingest/v1/tenant/${tenant}/device/${device}/${msgType}`;
const badTenant = 'Invalid tenant_id: 1 to 64 of A-Z a-z 0-9 _ -, starting with a letter or digit';
const badDevice = 'Invalid device_id: 1 to 128 of A-Z a-z 0-9 . _ : -';

describe('an accepted message', () => {
  test('is answered 202 with exactly {"status":"accepted"}, after intake has it', async () => {
    const answer = await door.post(devicePath, '{"site_id":"s1","metrics":{"temp":22}}');
    expect(answer.status).toBe(202);
    expect(await answer.text()).toBe('{"status":"accepted"}');
    expect(answer.headers.get('Content-Type')).toBe('application/json');
    expect(door.taken).toEqual([
      {
        source: 'http',
        tenantId: 't1' as never,
        deviceId: 'd1' as never,
        msgType: 'telemetry',
        username: '',
        token: 'tok',
        idempotencyKey: undefined,
        payloadText: '{"provision_token":"tok","site_id":"s1","metrics":{"temp":22}}',
        payload: { site_id: 's1', metrics: { temp: 22 }, provision_token: 'tok' },
      },
    ]);
  });

  test('waits for intake: no answer before the PubAck', async () => {
    const { promise, resolve } = Promise.withResolvers<IntakeResult>();
    await using slow = openDoor(() => promise);
    let answered = false;
    const answer = slow.post(devicePath, '{}').then((response) => {
      answered = true;
      return response.status;
    });
    while (slow.taken.length === 0) await Bun.sleep(1);
    expect(answered).toBe(false);
    resolve(storedResult);
    expect(await answer).toBe(202);
  });

  test('is a heartbeat too, without any metrics', async () => {
    expect((await door.post(path('t1', 'aa:bb:cc:dd:ee:ff', 'heartbeat'), '{}')).status).toBe(202);
    expect(door.taken[0]).toMatchObject({ msgType: 'heartbeat', deviceId: 'aa:bb:cc:dd:ee:ff' });
  });

  test('keeps its bytes: numbers, escapes and white space reach intake as sent', async () => {
    const inside = '"metrics" : {"a":1e400, "b":12345678901234567890, "c":1.0, "d":"\\u0000\\ud800"} ';
    await door.post(devicePath, `{${inside}}`);
    expect(door.taken[0]?.payloadText).toBe(`{"provision_token":"tok",${inside}}`);
  });

  test('has the token of the header, however the body spells its own', async () => {
    const body = '{"provision_token":"other","a":1,"provision_toke\\u006e":"third"}';
    await door.post(devicePath, body, { 'X-Provision-Token': 'he said "hi"\\' });
    expect(JSON.parse(door.taken[0]?.payloadText ?? '')).toEqual({ provision_token: 'he said "hi"\\', a: 1 });
    expect(door.taken[0]?.payloadText).not.toContain('other');
    expect(door.taken[0]?.payloadText).not.toContain('third');
    expect(door.taken[0]?.payload.provision_token).toBe('he said "hi"\\');
  });

  test('has a token of other letters as UTF-8', async () => {
    const bytes = Buffer.from('clé€').toString('latin1');
    await door.post(devicePath, '{}', { 'X-Provision-Token': bytes });
    expect(door.taken[0]?.token).toBe('clé€');
  });

  test('needs no Content-Type, and may have any', async () => {
    const headers = { ...token, 'Content-Type': 'application/x-www-form-urlencoded' };
    expect((await door.post(devicePath, '{}', headers)).status).toBe(202);
  });
});

describe('the contract, row by row', () => {
  test('no token: 401', async () => {
    expect(await told(door.post(devicePath, '{}', {}))).toEqual(
      refusal('missing_token', 'Missing X-Provision-Token'),
    );
    const answer = await door.post(devicePath, '{}', {});
    expect(answer.headers.get('WWW-Authenticate')).toBe('X-Provision-Token');
  });

  test('an empty token counts as none', async () => {
    const answer = door.post(devicePath, '{}', { 'X-Provision-Token': '  ' });
    expect(await told(answer)).toEqual(refusal('missing_token'));
  });

  test.each(['Telemetry', 'status', 'telemetry%00', 'heart%2Fbeat', '%ff'])(
    'msg_type %p: 400',
    async (msgType) => {
      const answer = door.post(path('t1', 'd1', msgType), '{}');
      expect(await told(answer)).toEqual(refusal('invalid_msg_type', 'Invalid msg_type'));
    },
  );

  test.each([
    ['_canary', 'd1', badTenant],
    ['a.b', 'd1', badTenant],
    ['%3E', 'd1', badTenant],
    ['*', 'd1', badTenant],
    ['t%00', 'd1', badTenant],
    ['t%2Fx', 'd1', badTenant],
    ['t%20', 'd1', badTenant],
    ['%ff', 'd1', badTenant],
    ['t'.repeat(65), 'd1', badTenant],
    ['t1', 'd%2F1', badDevice],
    ['t1', 'd%001', badDevice],
    ['t1', 'd*', badDevice],
    ['t1', 'd%0A', badDevice],
    ['t1', '%C3%A9', badDevice],
    ['t1', 'd'.repeat(129), badDevice],
  ])('tenant %p, device %p: 400 names which and what is allowed', async (tenant, device, detail) => {
    expect(await told(door.post(path(tenant, device), '{}'))).toEqual(refusal('invalid_identifier', detail));
  });

  test.each(['t'.repeat(64), 'A-_9'])('tenant %p is allowed', async (tenant) => {
    expect((await door.post(path(tenant), '{}')).status).toBe(202);
  });

  test('too large: 413', async () => {
    const fits = `{"a":"${'x'.repeat(256 * 1024 - 8)}"}`;
    expect((await door.post(devicePath, fits)).status).toBe(202);
    expect(await told(door.post(devicePath, `${fits} `))).toEqual(refusal('too_large'));
  });

  test.each([
    ['empty', ''],
    ['cut off', '{"a":'],
    ['an array', '[{}]'],
    ['a string', '"{}"'],
    ['a number', '1'],
    ['null', 'null'],
    ['NaN', '{"a":NaN}'],
    ['two values', '{}{}'],
    ['a byte order mark', '\ufeff{}'],
    ['not UTF-8', Buffer.from('{"a":"\xff"}', 'latin1')],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['a __proto__ key', '{"__proto__":{"x":1}}'],
    ['a __proto__ key, deep and escaped', '{"a":[{"\\u005f_proto__":1}]}'],
    ['33 levels', `${'{"a":'.repeat(32)}{}${'}'.repeat(32)}`],
  ])('a body that is %s: 400', async (_, body) => {
    expect(await told(door.post(devicePath, body))).toEqual(
      refusal('invalid_json_body', 'Invalid JSON body'),
    );
    expect(door.taken).toEqual([]);
  });

  test('32 levels are allowed', async () => {
    expect((await door.post(devicePath, `${'{"a":'.repeat(31)}{}${'}'.repeat(31)}`)).status).toBe(202);
  });

  test('not durable: 503 with Retry-After', async () => {
    result = { ok: false, refusal: 'unavailable', retryAfterSeconds: 17, detail: 'stream_full' };
    const answer = await door.post(devicePath, '{}');
    expect(answer.headers.get('Retry-After')).toBe('17');
    expect(await told(Promise.resolve(answer))).toEqual(
      refusal('unavailable', 'Ingestion temporarily unavailable'),
    );
  });

  test('an intake that cannot say when: Retry-After 60', async () => {
    result = { ok: false, refusal: 'unavailable' };
    expect((await door.post(devicePath, '{}')).headers.get('Retry-After')).toBe('60');
  });

  test('unknown tenants over their share: 429 with Retry-After', async () => {
    result = { ok: false, refusal: 'unknown_tenant_limit', retryAfterSeconds: 3 };
    const answer = await door.post(devicePath, '{}');
    expect(answer.headers.get('Retry-After')).toBe('3');
    expect(await told(Promise.resolve(answer))).toEqual(refusal('unknown_tenant_limit'));
  });

  test.each(['token_refused', 'device_revoked', 'too_large'] as const)('%s by intake', async (code) => {
    result = { ok: false, refusal: code };
    expect(await told(door.post(devicePath, '{}'))).toEqual(refusal(code));
  });
});

describe('the order of checks', () => {
  // Each request breaks its own rule and every later one.
  const tooLarge = 'x'.repeat(256 * 1024 + 1);
  const encoded = { 'Content-Encoding': 'br' };
  const badKey = { 'Idempotency-Key': 'two words' };
  test.each([
    ['token', path('_', '*', 'x'), tooLarge, { ...encoded, ...badKey }, 'missing_token'],
    ['msg_type', path('_', '*', 'x'), tooLarge, { ...token, ...encoded, ...badKey }, 'invalid_msg_type'],
    ['identifiers', path('_', '*'), tooLarge, { ...token, ...encoded, ...badKey }, 'invalid_identifier'],
    ['size', devicePath, tooLarge, { ...token, ...encoded }, 'too_large'],
    ['encoding', devicePath, 'x', { ...token, ...encoded }, 'unsupported_encoding'],
  ] as const)('%s before what comes after it', async (_, where, body, headers, code) => {
    const answer = await told(door.post(where, body, headers));
    expect(answer.body.type).toBe(refusal(code).body.type);
  });

  test('tenant before device before idempotency key', async () => {
    expect((await told(door.post(path('_', '*'), '', { ...token, ...badKey }))).body.detail).toBe(badTenant);
    expect((await told(door.post(path('t', '*'), '', { ...token, ...badKey }))).body.detail).toBe(badDevice);
    const key = 'Idempotency-Key must be 1 to 200 visible ASCII characters, without spaces';
    expect(await told(door.post(devicePath, tooLarge, { ...token, ...badKey }))).toEqual(
      refusal('invalid_idempotency_key', key),
    );
  });
});

describe('Idempotency-Key', () => {
  test.each(['a', 'x'.repeat(200), '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])(
    '%p reaches intake',
    async (key) => {
      expect((await door.post(devicePath, '{}', { ...token, 'Idempotency-Key': key })).status).toBe(202);
      expect(door.taken[0]?.idempotencyKey).toBe(key);
    },
  );

  test('an empty one counts as none', async () => {
    expect((await door.post(devicePath, '{}', { ...token, 'Idempotency-Key': '' })).status).toBe(202);
    expect(door.taken[0]?.idempotencyKey).toBeUndefined();
  });

  test.each(['x'.repeat(201), 'two words', 'caf\u00e9', 'tab\tbed'])('%p: 400', async (key) => {
    const answer = await told(door.post(devicePath, '{}', { ...token, 'Idempotency-Key': key }));
    expect(answer).toEqual(refusal('invalid_idempotency_key'));
    expect(door.taken).toEqual([]);
  });
});

import { afterAll, beforeEach, describe, expect, test } from 'bun:test';
import type { IncomingMessage, IntakeResult } from '../../../src/intake/intake.ts';
import { openDoor, refusal, storedResult, told } from './door.ts';

let answerTo: (message: IncomingMessage) => IntakeResult | Promise<IntakeResult>;
const door = openDoor((message) => answerTo(message));
afterAll(() => door.drain());
beforeEach(() => {
  answerTo = () => storedResult;
  door.taken.length = 0;
});

const send = (body: string | Uint8Array) => door.post('/ingest/v1/batch', body, {});
const sendItems = (...items: string[]) => send(`{"messages":[${items.join(',')}]}`);
const item = '{"tenant_id":"t1","device_id":"d1","provision_token":"tok"}';
const itemWith = (more: Record<string, unknown>) =>
  JSON.stringify({ tenant_id: 't1', device_id: 'd1', provision_token: 'tok', ...more });
const unavailable: IntakeResult = { ok: false, refusal: 'unavailable', retryAfterSeconds: 7 };

/** The reason that the batch `[item, the one in question]` gives for the second. */
async function reasonOf(text: string): Promise<unknown> {
  const { status, body } = await told(sendItems(item, text));
  expect(status).toBe(200);
  const [first, second] = body.results as Record<string, unknown>[];
  expect(first).toEqual({ index: 0, status: 'accepted' });
  return second?.status === 'accepted' ? 'accepted' : second?.reason;
}

describe('the batch as a whole', () => {
  test('the example of the brief: 200, all accepted', async () => {
    const text =
      '{"tenant_id":"t1","device_id":"d1","msg_type":"telemetry","provision_token":"tok","site_id":"s1","metrics":{"temp":22}}';
    expect(await told(sendItems(text))).toEqual({
      status: 200,
      type: 'application/json;charset=utf-8',
      body: { accepted: 1, rejected: 0, results: [{ index: 0, status: 'accepted' }] },
    });
    expect(door.taken).toEqual([
      {
        source: 'batch',
        username: '',
        tenantId: 't1' as never,
        deviceId: 'd1' as never,
        msgType: 'telemetry',
        token: 'tok',
        idempotencyKey: undefined,
        payloadText: text,
        payload: JSON.parse(text),
      },
    ]);
  });

  test.each([
    ['empty', ''],
    ['cut off', '{"messages":['],
    ['an array', '[]'],
    ['a string', '"messages"'],
    ['null', 'null'],
    ['not UTF-8', Buffer.from('{"messages":["\xff"]}', 'latin1')],
    ['with a __proto__ key of its own', `{"__proto__":{},"messages":[${item}]}`],
    ['half a million levels deep', '['.repeat(500_000)],
  ])('%s: 400 Invalid JSON', async (_, body) => {
    expect(await told(send(body))).toEqual(refusal('invalid_json', 'Invalid JSON'));
  });

  test.each(['{}', '{"messages":[]}', '{"messages":null}', '{"messages":{"0":{}}}', '{"messages":"x"}'])(
    '%p: 400 No messages',
    async (body) => {
      expect(await told(send(body))).toEqual(refusal('no_messages', 'No messages'));
    },
  );

  test('more than 100: 400, and none is taken', async () => {
    const answer = await told(sendItems(...Array<string>(101).fill(item)));
    expect(answer).toEqual(refusal('too_many_messages', 'Max 100 messages per batch'));
    expect(door.taken).toEqual([]);
  });

  test('100 are taken at once, and answered in their order whatever order they are stored in', async () => {
    let waiting = 0;
    const all = Promise.withResolvers<void>();
    answerTo = async ({ payload }) => {
      if (++waiting === 100) all.resolve();
      await all.promise;
      if (Number(payload.seq) % 2 === 0) await Bun.sleep(5);
      return Number(payload.seq) % 3 === 0 ? unavailable : storedResult;
    };
    const { status, body } = await told(
      sendItems(...Array.from({ length: 100 }, (_, seq) => itemWith({ seq }))),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ accepted: 66, rejected: 34 });
    expect(body.results).toEqual(
      Array.from({ length: 100 }, (_, index) =>
        index % 3 === 0
          ? { index, status: 'rejected', reason: 'publish_failed' }
          : { index, status: 'accepted' },
      ),
    );
  });

  test('1 MiB is allowed, one byte more is 413', async () => {
    const fits = `{"messages":[${item}]${' '.repeat(1024 * 1024 - item.length - 15)}}`;
    expect(fits.length).toBe(1024 * 1024);
    expect((await send(fits)).status).toBe(200);
    expect(await told(send(`${fits} `))).toEqual(refusal('too_large'));
  });

  test('the last of several "messages" counts, as for any JSON parser', async () => {
    const { body } = await told(send(`{"messages":[1,2,3],"m\\u0065ssages" : [ ${item} ] ,"x":[[1]]}`));
    expect(body).toMatchObject({ accepted: 1, rejected: 0 });
    expect(door.taken[0]?.payloadText).toBe(item);
  });
});

describe('an item', () => {
  test.each([
    ['{"device_id":"d","provision_token":"t"}', 'missing tenant_id or device_id'],
    ['{"tenant_id":"t","provision_token":"t"}', 'missing tenant_id or device_id'],
    ['{"tenant_id":"","device_id":"d","provision_token":"t"}', 'missing tenant_id or device_id'],
    ['{"tenant_id":"t","device_id":null,"provision_token":"t"}', 'missing tenant_id or device_id'],
    ['{"tenant_id":0,"device_id":"d","provision_token":"t"}', 'missing tenant_id or device_id'],
    ['{"tenant_id":"*","device_id":"*","msg_type":"x"}', 'missing provision_token'],
    ['{"tenant_id":"t","device_id":"d","provision_token":""}', 'missing provision_token'],
    ['{"tenant_id":"t","device_id":"d","provision_token":7}', 'missing provision_token'],
    ['{"tenant_id":"*","device_id":"*","provision_token":"t","msg_type":"x"}', 'invalid msg_type'],
    ['{"tenant_id":"t","device_id":"d","provision_token":"t","msg_type":null}', 'invalid msg_type'],
    ['{"tenant_id":"*","device_id":"*","provision_token":"t"}', 'invalid tenant_id'],
    ['{"tenant_id":"_canary","device_id":"d","provision_token":"t"}', 'invalid tenant_id'],
    ['{"tenant_id":["t"],"device_id":"d","provision_token":"t"}', 'invalid tenant_id'],
    ['{"tenant_id":"t","device_id":"a/b","provision_token":"t"}', 'invalid device_id'],
    ['{"tenant_id":"t","device_id":5,"provision_token":"t"}', 'invalid device_id'],
    ['null', 'invalid message'],
    ['[]', 'invalid message'],
    ['"x"', 'invalid message'],
    ['1', 'invalid message'],
    ['{"__proto__":{"tenant_id":"t"}}', 'invalid message'],
    [itemWith({ a: [{ x: 1 }] }).replace('"x"', '"\\u005f_proto__"'), 'invalid message'],
    [itemWith({}).replace('}', `,"a":${'['.repeat(32)}${']'.repeat(32)}}`), 'invalid message'],
    [itemWith({ a: 'x'.repeat(256 * 1024) }), 'invalid message'],
    [itemWith({}).replace('}', `,"a":${'['.repeat(31)}${']'.repeat(31)}}`), 'accepted'],
    [itemWith({ msg_type: 'heartbeat' }), 'accepted'],
  ])('%#: %.80s → %s', async (text, reason) => {
    expect(await reasonOf(text)).toBe(reason);
  });

  test('without msg_type is telemetry', async () => {
    await sendItems(item);
    expect(door.taken[0]?.msgType).toBe('telemetry');
  });

  test('keeps its bytes', async () => {
    const text =
      '{ "tenant_id":"t1","device_id":"d1","provision_token":"tok" , "n":[1e400,1.0,12345678901234567890] }';
    await sendItems(item, `  ${text}\n`);
    expect(door.taken[1]?.payloadText).toBe(text);
  });

  test('keeps its bytes next to one that is too deep', async () => {
    const deep = `{"a":${'['.repeat(100_000)}"]}"${']'.repeat(100_000)}}`;
    await sendItems(deep, item);
    expect(door.taken.map(({ payloadText }) => payloadText)).toEqual([item]);
  });

  test.each([
    ['unavailable', 'publish_failed'],
    ['unknown_tenant_limit', 'publish_failed'],
    ['token_refused', 'unknown device or wrong token'],
    ['device_revoked', 'device revoked'],
    ['too_large', 'invalid message'],
  ] as const)('that intake refuses as %s: %s', async (code, reason) => {
    answerTo = ({ deviceId }) => (deviceId === 'bad' ? { ok: false, refusal: code } : storedResult);
    expect(await reasonOf(itemWith({ device_id: 'bad' }))).toBe(reason);
  });
});

describe('nothing accepted', () => {
  test('and one publish_failed: 503 with the longest Retry-After, so that the client keeps the batch', async () => {
    answerTo = ({ payload }) => ({ ...unavailable, retryAfterSeconds: Number(payload.seq) });
    const answer = await sendItems('null', itemWith({ seq: 3 }), itemWith({ seq: 9 }), itemWith({ seq: 4 }));
    expect(answer.headers.get('Retry-After')).toBe('9');
    expect(await told(Promise.resolve(answer))).toEqual(refusal('unavailable'));
  });

  test('without a publish_failed: 200, for sending it again would help nothing', async () => {
    expect(await told(sendItems('null', '{}'))).toMatchObject({
      status: 200,
      body: { accepted: 0, rejected: 2 },
    });
  });
});

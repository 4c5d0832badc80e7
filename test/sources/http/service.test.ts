import { describe, expect, test } from 'bun:test';
import { until } from '../../harness/until.ts';
import { devicePath, openDoor, refusal, storedResult, token, told } from './door.ts';
import { head, openRaw } from './raw-socket.ts';

const postOnly = [devicePath, '/ingest/v1/batch'];
const getOnly = ['/ingest/v1/metrics/rate-limits', '/healthz', '/readyz', '/metrics'];

describe('methods and paths', () => {
  test.each(postOnly)('%s takes POST only', async (path) => {
    await using door = openDoor();
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const answer = await fetch(door.url + path, { method, headers: token });
      expect(answer.headers.get('Allow')).toBe('POST, OPTIONS');
      expect(await told(Promise.resolve(answer))).toEqual(refusal('method_not_allowed'));
    }
    const without = await fetch(door.url + path, { method: 'HEAD', headers: token });
    expect([without.status, await without.text()]).toEqual([405, '']);
    const options = await fetch(door.url + path, { method: 'OPTIONS' });
    expect([options.status, options.headers.get('Allow')]).toEqual([204, 'POST, OPTIONS']);
    expect(options.headers.has('Access-Control-Allow-Origin')).toBe(false);
    expect(door.taken).toEqual([]);
  });

  test.each(getOnly)('%s takes GET and HEAD', async (path) => {
    await using door = openDoor();
    const answer = await door.post(path, '{}');
    expect(answer.headers.get('Allow')).toBe('GET, HEAD, OPTIONS');
    expect(await told(Promise.resolve(answer))).toEqual(refusal('method_not_allowed'));
    const [get, without] = await Promise.all([
      fetch(door.url + path),
      fetch(door.url + path, { method: 'HEAD' }),
    ]);
    expect(without.status).toBe(get.status);
    expect(await without.text()).toBe('');
  });

  test.each([
    '/',
    '/ingest/v1',
    `${devicePath}/`,
    `${devicePath}/more`,
    '/ingest/v1/tenant//device/d1/telemetry',
    '/INGEST/v1/batch',
    '/%00',
    '/..%2f..%2fetc/passwd',
  ])('%s is not found', async (path) => {
    await using door = openDoor();
    expect(await told(door.post(path, '{}'))).toEqual(refusal('not_found'));
  });

  test('a query string changes nothing', async () => {
    await using door = openDoor();
    expect((await door.post(`${devicePath}?a=b`, '{}')).status).toBe(202);
  });
});

describe('health', () => {
  test('/healthz says ok, and what an accepted message withstands as soon as that is known', async () => {
    let durability: string | undefined;
    await using door = openDoor(undefined, { durability: () => durability });
    const health = () => told(fetch(`${door.url}/healthz`));
    expect(await health()).toMatchObject({ status: 200, body: { status: 'ok', durability: null } });
    durability = 'replicated (sync always, 3 replicas, nats-server 2.12.0)';
    expect((await health()).body).toEqual({ status: 'ok', durability });
  });

  test('/readyz follows what the gateway needs', async () => {
    let ready = true;
    await using door = openDoor(undefined, { isReady: async () => ready });
    expect(await told(fetch(`${door.url}/readyz`))).toMatchObject({ status: 200, body: { status: 'ready' } });
    ready = false;
    expect(await told(fetch(`${door.url}/readyz`))).toMatchObject({
      status: 503,
      body: { status: 'not ready', why: 'NATS is away' },
    });
  });

  test('/metrics counts requests by route and status, and the items of batches', async () => {
    await using door = openDoor();
    await door.post(devicePath, '{}');
    await door.post(devicePath, '{}', {});
    await door.post(
      '/ingest/v1/batch',
      '{"messages":[1,{"tenant_id":"t","device_id":"d","provision_token":"k"}]}',
    );
    await door.post('/nowhere', '');
    const answer = await fetch(`${door.url}/metrics`);
    expect(answer.headers.get('Content-Type')).toStartWith('text/plain');
    const text = await answer.text();
    for (const line of [
      'tributary_http_requests_total{route="single",status="202"} 1',
      'tributary_http_requests_total{route="single",status="401"} 1',
      'tributary_http_requests_total{route="batch",status="200"} 1',
      'tributary_http_requests_total{route="other",status="404"} 1',
      'tributary_http_batch_items_total{outcome="accepted"} 1',
      'tributary_http_batch_items_total{outcome="rejected"} 1',
      'tributary_http_request_duration_seconds_count{route="single"} 2',
      'tributary_http_requests_in_flight 0',
    ]) {
      expect(text).toContain(line);
    }
  });
});

describe('a bug of ours', () => {
  test('is a 500 without a word about the inside, and is logged', async () => {
    await using door = openDoor(() => {
      throw new Error('secret inside');
    });
    const answer = await door.post(devicePath, '{}');
    const text = await answer.clone().text();
    expect(await told(Promise.resolve(answer))).toEqual(refusal('internal'));
    expect(text).not.toContain('secret');
    expect(door.logged).toMatchObject([{ event: 'http_handler_failed', err: { message: 'secret inside' } }]);
  });
});

describe('draining', () => {
  test('answers what is under way, takes nothing new', async () => {
    const stored = Promise.withResolvers<void>();
    const door = openDoor(async () => {
      await stored.promise;
      return storedResult;
    });
    const idle = openRaw(door.port, head('GET', '/healthz'));
    await until(() => idle.received().includes('ok'), { what: 'an idle connection' });
    const answer = door.post(devicePath, '{}');
    await until(() => door.taken.length === 1, { what: 'a request under way' });
    const drained = door.drain();
    await idle.closed;
    await expect(fetch(`${door.url}/healthz`)).rejects.toThrow();
    stored.resolve();
    expect((await answer).status).toBe(202);
    await drained;
  });

  test('is not held up by a connection that never sends a whole request', async () => {
    const door = openDoor(undefined, { drainTimeoutMs: 60_000 });
    const begun = openRaw(door.port, 'POST /ing');
    expect((await door.post(devicePath, '{}')).status).toBe(202);
    await door.drain();
    await begun.closed;
  });

  test('ends after its deadline with what still hangs', async () => {
    const door = openDoor(() => new Promise(() => {}), { drainTimeoutMs: 50 });
    const hanging = openRaw(
      door.port,
      `${head('POST', devicePath, 'X-Provision-Token: t', 'Content-Length: 2')}{}`,
    );
    await until(() => door.taken.length === 1, { what: 'a request under way' });
    await door.drain();
    expect(await hanging.closed).toBe('');
  });

  test('two doors share a port; while one drains the other answers', async () => {
    const first = openDoor(undefined, { reusePort: true });
    await using second = openDoor(undefined, { reusePort: true, port: first.port });
    const ask = () =>
      fetch(`${second.url}${devicePath}`, {
        method: 'POST',
        body: '{}',
        headers: { ...token, Connection: 'close' },
      });
    await until(
      async () => {
        await ask();
        return first.taken.length > 0 && second.taken.length > 0;
      },
      { what: 'both to be asked', everyMs: 1 },
    );
    await first.drain();
    const before = second.taken.length;
    for (let count = 0; count < 20; count++) expect((await ask()).status).toBe(202);
    expect(second.taken.length).toBe(before + 20);
  });
});

import { expect, setSystemTime, test } from 'bun:test';
import { connectNats, NatsUnreachableError, parseNatsUrl } from '../../src/stream/connection.ts';
import { requestMany } from '../../src/stream/request-many.ts';
import { startTestNats } from '../harness/nats.ts';
import { until } from '../harness/until.ts';
import { bytes, silent } from './stream-fixture.ts';

test('an address is read with its credentials, several with commas between', () => {
  expect(parseNatsUrl('nats://u:p%40ss@a:4222, nats://b:4223')).toEqual({
    servers: ['a:4222', 'b:4223'],
    ignoreClusterUpdates: true,
    user: 'u',
    pass: 'p@ss',
  });
  expect(parseNatsUrl('tls://secret@a')).toEqual({ servers: ['a'], token: 'secret', tls: {} });
  expect(parseNatsUrl('a:4222')).toEqual({ servers: ['a:4222'] });
  for (const bad of ['http://a:4222', 'nats://', 'nats://u:p@a:port']) {
    expect(() => parseNatsUrl(bad)).toThrow('NATS_URL');
  }
});

test('a server that is not there, or refuses the password, is one sentence without the password', async () => {
  const nobody = await connectNats({ url: 'nats://u:secret@127.0.0.1:1', name: 'x', log: silent }).catch(
    (error: unknown) => error,
  );
  expect(nobody).toBeInstanceOf(NatsUnreachableError);
  expect(String(nobody)).toContain('Cannot reach NATS at 127.0.0.1:1');
  expect(String(nobody)).not.toContain('secret');
  await using nats = await startTestNats({ auth: { user: 'u', password: 'right' } });
  const wrong = await connectNats({
    url: nats.url.replace('right', 'secret'),
    name: 'x',
    log: silent,
  }).catch((error: unknown) => error);
  expect(wrong).toBeInstanceOf(NatsUnreachableError);
  expect(String(wrong)).not.toContain('secret');
  const nc = await connectNats({ url: nats.url, name: 'x', log: silent });
  await nc.close();
});

test('of several servers one that is there is enough to begin with, and when none is, all are named', async () => {
  await using nats = await startTestNats();
  // The client takes them in any order.
  for (let round = 0; round < 5; round += 1) {
    const url = `nats://127.0.0.1:1,${nats.url},nats://127.0.0.1:2`;
    const nc = await connectNats({ url, name: 'x', log: silent });
    expect(nc.getServer()).toEndWith(`:${nats.port}`);
    await nc.close();
  }
  const none = connectNats({ url: 'nats://127.0.0.1:1,nats://127.0.0.1:2', name: 'x', log: silent });
  await expect(none).rejects.toThrow('Cannot reach NATS at 127.0.0.1:1, 127.0.0.1:2');
});

test('everybody who listens is asked, within the time; nobody listening is no error', async () => {
  await using nats = await startTestNats();
  const nc = await connectNats({ url: nats.url, name: 'x', log: silent });
  const others = await Promise.all(
    [1, 2, 3].map(() => connectNats({ url: nats.url, name: 'y', log: silent })),
  );
  expect(await requestMany(nc, 'q', '', { timeoutMs: 1_000, stallMs: 100 })).toEqual([]);
  for (const [index, other] of others.entries()) {
    other.subscribe('q', { callback: (_, request) => void request.respond(bytes(`${index}`)) });
    await other.flush();
  }
  const answers = await requestMany(nc, 'q', bytes('?'), { timeoutMs: 2_000, stallMs: 300 });
  expect(answers.map((answer) => new TextDecoder().decode(answer)).toSorted()).toEqual(['0', '1', '2']);
  await Promise.all([nc, ...others].map((connection) => connection.close()));
});

test('the connection comes back by itself after an outage', async () => {
  await using nats = await startTestNats();
  const nc = await connectNats({ url: nats.url, name: 'x', log: silent });
  await nats.kill();
  await nats.start();
  await until(() => nc.flush().then(() => true), { what: 'connected again' });
  await nc.close();
});

test('it comes back as soon after the wall clock was set back by hours', async () => {
  await using nats = await startTestNats();
  const nc = await connectNats({ url: nats.url, name: 'x', log: silent });
  try {
    setSystemTime(new Date(Date.now() - 3 * 3_600_000));
    await nats.kill();
    await nats.start();
    await until(() => !nc.isClosed() && nc.flush().then(() => true), { what: 'NATS answers again' });
  } finally {
    setSystemTime();
    await nc.close();
  }
}, 20_000);

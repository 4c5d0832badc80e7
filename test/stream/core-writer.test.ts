import { expect, test } from 'bun:test';
import { CoreWriter } from '../../src/stream/core-writer.ts';
import { until } from '../harness/until.ts';
import { startTestStream } from './stream-fixture.ts';

test('texts of one turn arrive whole and in order, but for one that the server would not take', async () => {
  await using stream = await startTestStream();
  const { nc } = stream;
  const heard: [string, string][] = [];
  nc.subscribe('said.>', { callback: (_, message) => void heard.push([message.subject, message.string()]) });
  await nc.flush();
  const writer = new CoreWriter(nc);
  writer.publish('said.1', 'é ✓\r\nPUB said.9 1\r\nx');
  writer.publish('said.2', 'x'.repeat((nc.info?.max_payload ?? 0) + 1));
  writer.publish('said.3', '');
  await until(() => heard.length >= 2, { what: 'two are heard' });
  // In another turn, and ahead of what the connection does next.
  writer.publish('said.4', 'x'.repeat(nc.info?.max_payload ?? 0));
  writer.flush();
  await nc.flush();
  expect(heard.map(([subject, text]) => [subject, text.length])).toEqual([
    ['said.1', 20],
    ['said.3', 0],
    ['said.4', nc.info?.max_payload ?? 0],
  ]);
  expect(heard[0]?.[1]).toBe('é ✓\r\nPUB said.9 1\r\nx');
});

test('on a closed connection nothing is heard and nothing fails', async () => {
  await using stream = await startTestStream();
  const writer = new CoreWriter(stream.nc);
  await stream.nc.close();
  writer.publish('said.1', 'x');
  expect(() => writer.flush()).not.toThrow();
});

import { expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { mqttRefusals } from '../../../src/observe/mqtt.ts';

test('docs/reference/mqtt.md lists every reason of a refusal, and no other', async () => {
  const reference = await Bun.file(resolve(import.meta.dir, '../../../docs/reference/mqtt.md')).text();
  const table = reference.slice(reference.indexOf('| reason | when |'));
  const rows = [...table.matchAll(/^\| `([a-z_]+)` \| ([^|]+) \|$/gm)].map(([, reason, when]) => [
    reason,
    when,
  ]);
  expect(rows).toEqual(Object.entries(mqttRefusals));
});

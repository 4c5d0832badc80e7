import { expect, test } from 'bun:test';
import { problems } from '../../src/console/problem.ts';

test('docs/api.md has each refusal of the API with its status, and no others', async () => {
  const page = await Bun.file(new URL('../../docs/api.md', import.meta.url)).text();
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map(
    ([, type, status]) => `${type} ${status}`,
  );
  const wanted = Object.entries(problems).map(
    ([code, { status }]) => `${code.replaceAll('_', '-')} ${status}`,
  );
  expect(rows.toSorted()).toEqual(wanted.toSorted());
});

import { expect, test } from 'bun:test';
import { resolve } from 'node:path';
import { type RefusalCode, refusals } from '../../../src/model/errors.ts';
import { problemType } from '../../../src/sources/http/problem.ts';

const reference = await Bun.file(resolve(import.meta.dir, '../../../docs/reference/http.md')).text();

/** The rows of the refusals' table: type, status, detail. */
const documented = [...reference.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| `([^`]+)` \|/gm)].map(
  ([, type, status, detail]) => ({ type: `urn:tributary:problem:${type}`, status: Number(status), detail }),
);

test('docs/reference/http.md lists every refusal with its status and detail, and no other', () => {
  const codes = Object.keys(refusals) as RefusalCode[];
  const wanted = codes.map((code) => ({ type: problemType(code), ...refusals[code] }));
  const byType = (rows: { type: string }[]) => rows.toSorted((a, b) => a.type.localeCompare(b.type));
  expect(byType(documented)).toEqual(byType(wanted));
});

test('docs/reference/http.md lists every reason of a batch item, and no other', async () => {
  const source = await Bun.file(resolve(import.meta.dir, '../../../src/model/errors.ts')).text();
  const wanted = [...source.slice(source.indexOf('BatchReason')).matchAll(/\| '([^']+)'/g)].map(
    ([, reason]) => reason,
  );
  const rows = [...reference.matchAll(/^\| `([^`]+)` \|.*\| (?:no|yes.*) \|$/gm)].map(([, reason]) => reason);
  expect(wanted.length).toBeGreaterThan(5);
  expect(rows.toSorted()).toEqual(wanted.toSorted());
});

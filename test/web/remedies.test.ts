import { expect, test } from 'bun:test';
import { reasons } from '../../src/model/reasons.ts';
import { remedyOf } from '../../web/lib/remedies.ts';

const page = await Bun.file(new URL('../../docs/reference/reasons.md', import.meta.url)).text();

test.each(Object.keys(reasons))(
  'what the console says to do about %s is what the documentation says',
  (reason) => {
    const section = page.split(/^## /m).find((each) => each.startsWith(`\`${reason}\``)) ?? '';
    const words = /\*\*To do:\*\*([\s\S]*?)(?:\n\n|\n?$)/.exec(section)?.[1] ?? '';
    const plain = words.replaceAll('`', '').trim().replace(/\s+/g, ' ');
    expect(plain).not.toBe('');
    expect(remedyOf(reason)?.toLowerCase()).toBe(plain.toLowerCase());
  },
);

test('a reason that is not known has none', () => {
  expect([remedyOf('SOMETHING_NEW'), remedyOf('constructor')]).toEqual([undefined, undefined]);
});

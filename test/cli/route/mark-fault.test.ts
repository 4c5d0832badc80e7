import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { oneLine } from '../../../src/cli/output/table.ts';
import { mark } from '../../../src/cli/route/mark-fault.ts';

test.each([
  ['metrics.temp >', 14, '  metrics.temp >', 16],
  ['a\t&& b', 2, '  a && b', 4],
  // Two columns each.
  ['"温度" == x', 8, '  "温度" == x', 12],
  ['"🌡️" == x', 9, '  "🌡️" == x', 10],
  ['first\n second x', 14, '   second x', 10],
])('%j at %i', (text, position, line, column) => {
  expect(mark(text, position).split('\n')).toEqual([line, `${' '.repeat(column)}^`]);
});

test('the mark stands under its place, in a line that no terminal breaks', () => {
  const character = fc.constantFrom('a', ' ', '\t', '温', 'é', '🌡️', '"', '\u202e');
  fc.assert(
    fc.property(
      fc.array(character, { maxLength: 200 }),
      fc.array(character, { maxLength: 200 }),
      (left, right) => {
        const [before, after] = [left.join(''), right.join('')];
        const [line = '', caret = ''] = mark(`${before}!${after}`, before.length).split('\n');
        expect(Bun.stringWidth(line)).toBeLessThanOrEqual(78);
        const at = line.indexOf('!');
        expect(Bun.stringWidth(line.slice(0, at))).toBe(caret.length - 1);
        // What is shown stands there, on both sides.
        expect(oneLine(before).endsWith(line.slice(2, at))).toBe(true);
        expect(oneLine(after).startsWith(line.slice(at + 1))).toBe(true);
      },
    ),
  );
});

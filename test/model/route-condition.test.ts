import { describe, expect, test } from 'bun:test';
import { conditionLimits } from '../../src/model/condition-bounds.ts';
import type { ConditionContext } from '../../src/model/condition-context.ts';
import { createConditionCompiler } from '../../src/model/route-condition.ts';
import { RouteFault } from '../../src/model/route-fault.ts';

const compile = createConditionCompiler();

const context: ConditionContext = {
  msg_type: 'telemetry',
  device_id: 'd1',
  site_id: 's1',
  status: '',
  previous: '',
  metrics: { temp_c: 31, door: 'open', on: true, big: 12_345_678_901_234_567_890n },
  seq: 5n,
  time: new Date('2026-06-01T12:30:00Z'),
  extra: { room: 'a', tags: ['x'] },
};
const evaluate = (text: string) => compile(text).evaluate(context);

function faultOf(text: string): RouteFault {
  try {
    compile(text);
  } catch (error) {
    if (error instanceof RouteFault) return error;
    throw error;
  }
  throw new Error(`was taken: ${text}`);
}

test.each([
  ['msg_type == "telemetry" && metrics.temp_c > 30.0', true],
  ['metrics.temp_c > 30', true],
  ['metrics.temp_c > 31', false],
  ['metrics["temp_c"] == 31.0', true],
  ['metrics.big > 10', true],
  ['metrics.on', true],
  ['metrics.door.startsWith("op") || false', true],
  ['"temp_c" in metrics && !("nope" in metrics)', true],
  ['has(metrics.nope) && metrics.nope > 1', false],
  ['metrics.exists(key, key.startsWith("te") && metrics[key] == 31.0)', true],
  ['msg_type == "telemetry" && 1 - (2 - 3) == 2', true],
  ['!("nope" in metrics) && (true || 1 - (2 - 3) == 2) && metrics.on', true],
  ['metrics.on && !(1 - (2 - 3) == 2)', false],
  ['seq % 2 == 1', true],
  ['time.getHours() == 12 && time > timestamp("2026-01-01T00:00:00Z")', true],
  ['extra.room == "a" && "x" in extra', false],
  ['device_id in ["d1", "d2"]', true],
  ['metrics.temp_c + 1.0 > 31.5 ? true : false', true],
] as const)('%s is %p', (text, expected) => expect(evaluate(text)).toBe(expected));

describe('what fails is an error, and no match', () => {
  test.each([
    'metrics.nope > 3',
    'metrics.door > 3',
    'metrics.temp_c',
    'metrics.temp_c + 1 > 3',
    'metrics.constructor == 1',
    'metrics["__proto__"] == 1',
    'metrics.toString == 1',
    'extra.nope == 1',
    'int(metrics.door) == 1',
    '1 / (seq - 5) == 1',
  ])('%s', (text) => expect(evaluate(text)).toBe('error'));

  test('a part that fails does not matter where another one is false, in either order', () => {
    expect(evaluate('metrics.nope > 3 && msg_type == "heartbeat"')).toBe(false);
    expect(evaluate('msg_type == "heartbeat" && metrics.nope > 3')).toBe(false);
    expect(evaluate('metrics.nope > 3 || msg_type == "telemetry"')).toBe(true);
  });

  test('a text past its limit', () => {
    const { extra: _, ...without } = context;
    expect(compile('extra.room == "a"').evaluate(without)).toBe('error');
  });
});

test.each([
  ['metrics.temp_c >', 16],
  ['foo > 1', 0],
  ['true && foo > 1', 8],
  ['1 + 1', 0],
  ['"a" + 1 == "b"', 0],
  ['true && device_id.matches("(a+)+$")', 8],
  ['{"a": 1} == {"a": 1}', 0],
  ['metrics.map(key, key) == []', 0],
  ['extra.tags.exists(tag, true)', 0],
  ['metrics.all(a, metrics.all(b, true))', 15],
  ['time.getHours("CET") > 1', 0],
  ['cel.bind(x, 1, x == 1)', 0],
  ['"a,b".split(",") == ["a"]', 0],
  ['1 in extra.tags', 0],
  // A quarter of a second a message, with texts of the largest size.
  ['metrics.all(k, !extra.a.contains(extra.b))', 16],
  ['metrics.exists(k, metrics[k].contains(metrics.b))', 38],
  ['extra.a.indexOf(extra.b) > 1', 16],
  ['metrics.exists(k, k in extra)', 23],
] as const)('%s is refused at character %d', (text, position) => {
  const fault = faultOf(text);
  expect([fault.field, fault.position]).toEqual(['condition', position]);
  expect(fault.message).toEndWith(`(at character ${position + 1})`);
});

test('what could cost too much is refused', () => {
  expect(faultOf('a'.repeat(conditionLimits.maxLength + 1)).message).toContain('at most 1024');
  expect(faultOf(`${'('.repeat(60)}true${')'.repeat(60)}`).message).toContain('maxDepth');
  expect(faultOf(Array(100).fill('true').join('&&')).message).toContain('maxAstNodes');
  expect(faultOf(`seq in [${Array(65).fill('1').join(',')}]`).message).toContain('maxListElements');
  const long = Array(9).fill('metrics[key] != 1.0').join(' && ');
  expect(faultOf(`metrics.all(key, ${long})`).message).toContain('at most 24');
});

test('what is looked for in a text may be written out, or an identifier', () => {
  const result = (text: string) => compile(text).evaluate({ ...context, device_id: 'pump-7' });
  expect(result('"a pump-7 b".contains(device_id) && device_id.contains("mp-")')).toBe(true);
  expect(result('device_id.lastIndexOf("7") == 5')).toBe(true);
});

test('what it does not ask for need not be made', () => {
  expect([...compile('metrics.temp_c > 1').needs]).toEqual([]);
  expect([...compile('seq == 1 || has(extra.room)').needs].sort()).toEqual(['extra', 'seq']);
  expect([...compile('metrics.all(key, time.getHours() > 1)').needs]).toEqual(['time']);
});

test('a plain comparison is what the library makes of it, for every operator and value', () => {
  const literals = [
    '30',
    '30.0',
    '-1',
    '0',
    '1e3',
    '0.1',
    '9007199254740992',
    '9223372036854775807',
    '"x"',
    'true',
  ];
  const values = [30, 29.9, 0, -0, 1_000, 0.1, 2 ** 53, 1e300, 30n, 2n ** 53n + 1n, 'x', true, null, [1]];
  for (const op of ['>', '>=', '<', '<=', '==', '!=']) {
    for (const literal of literals) {
      const plain = compile(`metrics.v ${op} ${literal}`);
      // Not plain, and of the same sense.
      const library = compile(`(metrics.v ${op} ${literal}) || false`);
      for (const value of values) {
        const given = { ...context, metrics: { v: value } };
        expect([op, literal, value, plain.evaluate(given)]).toEqual([
          op,
          literal,
          value,
          library.evaluate(given),
        ]);
      }
    }
  }
  for (const text of [
    'msg_type == "telemetry"',
    'msg_type != "telemetry"',
    'msg_type == "x"',
    'msg_type > "a"',
  ])
    expect([text, evaluate(text)]).toEqual([text, evaluate(`(${text}) || false`)]);
});

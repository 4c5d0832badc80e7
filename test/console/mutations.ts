import type { TSchema } from 'typebox';
import type { Operation } from '../../src/console/operation.ts';
import type { Example } from './operation-examples/example.ts';

/** What clients send by mistake or on purpose. */
const strange: readonly unknown[] = [
  '',
  ' ',
  '0',
  '-1',
  '1e999',
  'null',
  'a'.repeat(5_000),
  '\0',
  'a\0b',
  '\ud800',
  '💥'.repeat(40),
  `'; drop table telemetry; --`,
  '../../etc/passwd',
  '%2e%2e%2f',
  '__proto__',
  'constructor',
  '{}',
  '[]',
  '<script>',
  'foreign',
  'foreign-1',
  'own',
  '_canary',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  '292277-01-01T00:00:00Z',
  '2026-11-24T00:00:00+99:99',
  'infinity',
  'WyIxIl0',
  'WyJmb3JlaWduLTEiXQ',
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  1e308,
  true,
  false,
  null,
  [],
  ['foreign-1'],
  {},
  { ids: [1, 2, 3] },
  { __proto__: null, toString: 1 },
  [[[[[[[[]]]]]]]],
];

/** A body that no JSON value makes. */
export const rawBodies = [
  '{',
  '[1,',
  '"',
  '{"a":1e400}',
  '{"a":12345678901234567890}',
  '{"__proto__":{"a":1}}',
  '{"a":"\\ud800"}',
  `${'['.repeat(20_000)}`,
  '\u0000',
  'nothing',
] as const;

export type Mutator = (operation: Operation, example: Example) => Example;

/** Changes one to three things of a request that works. @param random 0 ≤ x < 1 */
export function createMutator(random: () => number): Mutator {
  const pick = <T>(values: readonly T[]): T | undefined => values[Math.floor(random() * values.length)];
  const text = () => {
    const value = pick(strange);
    // An address cannot hold a lone surrogate.
    return typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value);
  };
  const mutateOnce = (operation: Operation, example: Example): Example => {
    const place = pick(['params', 'query', 'query', 'body', 'body'] as const);
    if (place === 'params') {
      const name = pick(Object.keys(operation.params.properties));
      if (name === undefined) return example;
      // An empty part would be another path.
      return { ...example, params: { ...example.params, [name]: text() || 'x' } };
    }
    if (place === 'query') {
      const name = random() < 0.1 ? 'nonsense' : pick(Object.keys(operation.query.properties));
      if (name === undefined) return example;
      const value = random() < 0.1 ? [text(), text()] : text();
      return { ...example, query: { ...example.query, [name]: value } };
    }
    return { ...example, ...mutatedBody(operation, example) };
  };
  const mutatedBody = ({ body }: Operation, example: Example): Pick<Example, 'body' | 'headers'> => {
    const json = { 'Content-Type': 'application/json' };
    if (body === undefined || random() < 0.15) {
      return { body: pick(rawBodies), headers: { ...json, ...example.headers } };
    }
    if (random() < 0.1) return { body: pick(strange) ?? null, headers: json };
    const given = isObject(example.body) ? example.body : {};
    const name = pick([...Object.keys(propertiesOf(body)), ...Object.keys(given), 'nonsense']);
    if (name === undefined) return {};
    const { [name]: _dropped, ...others } = given;
    return { body: random() < 0.15 ? others : { ...others, [name]: pick(strange) }, headers: json };
  };
  return (operation, example) => {
    // Filters hide rows that are not to be there at all.
    let mutated = random() < 0.3 ? { ...example, query: {} } : example;
    for (let times = 1 + Math.floor(random() * 3); times > 0; times -= 1)
      mutated = mutateOnce(operation, mutated);
    return mutated;
  };
}

function propertiesOf(schema: TSchema): Record<string, unknown> {
  return 'properties' in schema ? (schema.properties as Record<string, unknown>) : {};
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

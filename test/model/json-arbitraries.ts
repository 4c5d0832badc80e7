import fc from 'fast-check';

/** White space as JSON allows it. */
export const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/);

/** JSON text with any spacing, number spelling, escape and duplicate key: what JSON.stringify never prints. */
export const looseJson = fc.letrec((tie) => ({
  string: fc.oneof(
    fc.string({ unit: 'grapheme' }).map((value) => JSON.stringify(value)),
    fc.constantFrom('"\\u0041"', '"\\\\"', '"\\""', '"{\\"a\\":1}"', '"\\u0000"', '"\\ud800"', '"],}"'),
  ),
  scalar: fc.oneof(
    tie('string'),
    fc.constantFrom('1', '-0', '1.0', '1e400', '12345678901234567890', '1E-7', 'true', 'false', 'null'),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  ),
  member: fc.tuple(space, tie('string'), space, space, tie('value'), space).map((parts) => {
    const [before, key, behindKey, beforeValue, value, behind] = parts as string[];
    return `${before}${key}${behindKey}:${beforeValue}${value}${behind}`;
  }),
  object: fc
    .tuple(space, fc.array(tie('member'), { maxLength: 5 }))
    .map(([inside, members]) => (members.length === 0 ? `{${inside}}` : `{${members.join(',')}}`)),
  array: fc
    .tuple(space, fc.array(fc.tuple(space, tie('value'), space), { maxLength: 4 }))
    .map(([inside, items]) =>
      items.length === 0 ? `[${inside}]` : `[${items.map((item) => item.join('')).join(',')}]`,
    ),
  value: fc.oneof({ maxDepth: 4, depthSize: 'small' }, tie('scalar'), tie('object'), tie('array')),
})) as unknown as Record<'string' | 'scalar' | 'object' | 'array' | 'value', fc.Arbitrary<string>>;

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { bodyHash, canonicalBody } from '../../src/model/canonical-hash.ts';
import { parseExactJson } from '../../src/model/exact-json.ts';
import { looseJson } from './json-arbitraries.ts';

const canonical = (text: string) => canonicalBody(parseExactJson(text));

test('the doors agree: order, spacing, number spelling, escapes and the door’s own keys do not matter', () => {
  const http = '{"site_id":"s1","metrics":{"temp":22.0,"n":12345678901234567890},"provision_token":"a"}';
  const batch =
    '{ "tenant_id":"t", "device_id":"d", "msg_type":"telemetry", "msg_id":"1", "provision_token":"b",' +
    '"metrics":{"n":1234567890123456789e1, "\\u0074emp":2.2e1},"site_id":"s1"}';
  expect(canonical(batch)).toBe(canonical(http));
  expect(canonical(http)).toBe('{"metrics":{"n":1234567890123456789e1,"temp":22},"site_id":"s1"}');
});

test('the door’s keys count again one level down', () => {
  expect(canonical('{"metrics":{"msg_id":1}}')).not.toBe(canonical('{"metrics":{"msg_id":2}}'));
});

test('other values, types and big numbers that a double would merge differ', () => {
  const bodies = [
    '1',
    '"1"',
    'true',
    'null',
    '[]',
    '{}',
    '[[]]',
    '12345678901234567890',
    '12345678901234567891',
  ];
  const more = [
    '1e400',
    '1e401',
    '-1e400',
    '1e-400',
    '0',
    '0.1',
    '0.1000000000000000000001',
    '{"a":{}}',
    '[1,2]',
    '[12]',
  ];
  const texts = [...bodies, ...more].map((value) => canonical(`{"v":${value}}`));
  expect(new Set(texts).size).toBe(bodies.length + more.length);
});

test('it is JSON, of the same value, and canonical already', () => {
  fc.assert(
    fc.property(looseJson.value, (text) => {
      const once = canonical(`[${text}]`);
      expect(canonical(once)).toBe(once);
      expect(canonical(JSON.stringify(parseExactJson(once)))).toBe(canonical(`[${text}]`));
    }),
  );
});

test('for any parsed values: the same text exactly when they are equal', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      const equal = Bun.deepEquals(JSON.parse(JSON.stringify(a)), JSON.parse(JSON.stringify(b)));
      expect(canonicalBody([a]) === canonicalBody([b])).toBe(equal);
    }),
  );
});

test('the hash is 16 bytes of SHA-256 as hex', () => {
  expect(bodyHash({})).toBe('44136fa355b3678a1146ad16f7e8649e');
});

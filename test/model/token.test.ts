import { expect, test } from 'bun:test';
import fc from 'fast-check';
import {
  createSecret,
  deviceTokenPrefix,
  equalHash,
  hashToken,
  isOwnSecret,
  operatorKeyPrefix,
} from '../../src/model/token.ts';

const random = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('a secret has its prefix, 49 base62 characters and a checksum that holds', () => {
  fc.assert(
    fc.property(random, fc.constantFrom(deviceTokenPrefix, operatorKeyPrefix), (bytes, prefix) => {
      const secret = createSecret(prefix, bytes);
      expect(secret.slice(prefix.length)).toMatch(/^[0-9A-Za-z]{49}$/);
      expect(secret.startsWith(prefix)).toBe(true);
      expect(isOwnSecret(secret)).toBe(true);
    }),
  );
});

test('other random bytes give another secret, the extremes included', () => {
  const [zeros, ones] = [new Uint8Array(32), new Uint8Array(32).fill(255)];
  expect(createSecret('trb_', zeros)).toStartWith(`trb_${'0'.repeat(43)}`);
  expect(isOwnSecret(createSecret('trb_', ones))).toBe(true);
  fc.assert(
    fc.property(random, random, (a, b) => {
      expect(createSecret('trb_', a) === createSecret('trb_', b)).toBe(equalHash(a, b));
    }),
  );
});

test('a changed character breaks the checksum', () => {
  fc.assert(
    fc.property(random, fc.nat({ max: 48 }), fc.constantFrom('0', 'A', 'z'), (bytes, at, char) => {
      const secret = createSecret('trb_', bytes);
      const changed = secret.slice(0, 4 + at) + char + secret.slice(5 + at);
      expect(isOwnSecret(changed)).toBe(changed === secret);
    }),
  );
  for (const text of ['', 'test-token', 'trb_', `trb_${'0'.repeat(49)}`])
    expect(isOwnSecret(text)).toBe(false);
});

test('too little randomness is refused', () => {
  expect(() => createSecret('trb_', new Uint8Array(16))).toThrow('32 random bytes, not 16');
});

test('a token’s hash is its SHA-256', () => {
  expect(hashToken('abc').toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});

test('hashes compare by content, and other lengths are unequal instead of an error', () => {
  expect(equalHash(hashToken('a'), hashToken('a'))).toBe(true);
  expect(equalHash(hashToken('a'), hashToken('b'))).toBe(false);
  expect(equalHash(hashToken('a'), new Uint8Array(0))).toBe(false);
  expect(equalHash(hashToken('a'), hashToken('a').subarray(0, 16))).toBe(false);
});

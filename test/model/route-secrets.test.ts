import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { UnsealError } from '../../src/lib/seal.ts';
import { openRouteSecrets, parseSecretsKey, sealRouteSecrets } from '../../src/model/route-secrets.ts';

const key = randomBytes(32);
const secrets = { signing_secrets: ['whsec_c2VjcmV0'], headers: { authorization: 'Bearer abc' } };

test('sealed secrets open for the same key and route, hold nothing readable, and never look the same', () => {
  const sealed = sealRouteSecrets(secrets, key, 't1', 'hook');
  expect(openRouteSecrets(sealed, key, 't1', 'hook')).toEqual(secrets);
  expect(sealed.toString('latin1')).not.toContain('whsec_');
  expect(sealRouteSecrets(secrets, key, 't1', 'hook').equals(sealed)).toBe(false);
});

test('they do not open with another key, for another route or tenant, or with a bit changed anywhere', () => {
  const sealed = sealRouteSecrets(secrets, key, 't1', 'hook');
  expect(() => openRouteSecrets(sealed, randomBytes(32), 't1', 'hook')).toThrow(UnsealError);
  expect(() => openRouteSecrets(sealed, key, 't2', 'hook')).toThrow(UnsealError);
  expect(() => openRouteSecrets(sealed, key, 't1', 'other')).toThrow(UnsealError);
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    expect(() => openRouteSecrets(changed, key, 't1', 'hook')).toThrow(UnsealError);
    expect(() => openRouteSecrets(sealed.subarray(0, at), key, 't1', 'hook')).toThrow(UnsealError);
  }
});

test('the key is base64 of 32 bytes, and an error does not show it', () => {
  expect(parseSecretsKey(key.toString('base64')).equals(key)).toBe(true);
  for (const bad of [
    '',
    'abc',
    randomBytes(31).toString('base64'),
    'not base64 at all, 32 bytes long or so!',
  ]) {
    expect(() => parseSecretsKey(bad)).toThrow('openssl rand -base64 32');
    if (bad !== '') expect(() => parseSecretsKey(bad)).not.toThrow(bad);
  }
});

import { expect, test } from 'bun:test';
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { signatureHeaders } from '../../src/delivery/webhook/sign.ts';
import { parseSigningSecret } from '../../src/model/signing-secret.ts';

const secretOf = (size: number) => `whsec_${randomBytes(size).toString('base64')}`;
const now = () => Math.floor(Date.now() / 1_000);
const text = '{"temp":21.50,"name":"Zürich"}';

test('the package of Standard Webhooks verifies a signature, and refuses it for another body, id or secret', () => {
  const secret = secretOf(32);
  const headers = signatureHeaders({ id: 'r1.7.abc', timestamp: now(), body: Buffer.from(text) }, [secret]);
  expect(new Webhook(secret).verify(text, headers)).toEqual({ temp: 21.5, name: 'Zürich' });
  expect(() => new Webhook(secret).verify(`${text} `, headers)).toThrow();
  expect(() => new Webhook(secret).verify(text, { ...headers, 'webhook-id': 'r1.7.abd' })).toThrow();
  expect(() => new Webhook(secretOf(32)).verify(text, headers)).toThrow();
});

test('while a secret is being replaced, both verify', () => {
  const [old, next] = [secretOf(24), secretOf(64)];
  const headers = signatureHeaders({ id: 'x', timestamp: now(), body: Buffer.from(text) }, [next, old]);
  for (const secret of [old, next]) expect(() => new Webhook(secret).verify(text, headers)).not.toThrow();
});

test('without a secret the id and the time are there, and no signature', () => {
  const headers = signatureHeaders({ id: 'x', timestamp: 5, body: Buffer.from('') }, []);
  expect(headers).toEqual({ 'webhook-id': 'x', 'webhook-timestamp': '5' });
});

test('a secret is whsec_ and 24 to 64 bytes, and an error does not show it', () => {
  for (const bad of [
    secretOf(23),
    secretOf(65),
    randomBytes(32).toString('base64'),
    'whsec_',
    'whsec_%%%%',
  ]) {
    expect(() => parseSigningSecret(bad)).toThrow('24 to 64 bytes');
    if (bad.length > 'whsec_'.length) expect(() => parseSigningSecret(bad)).not.toThrow(bad);
  }
});

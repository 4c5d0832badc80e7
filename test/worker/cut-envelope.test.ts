import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { cutEnvelope } from '../../src/worker/cut-envelope.ts';
import { envelopeOf, rawOf, token } from './messages.ts';

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const inBase64 = (bytes: Uint8Array) =>
  envelopeOf({ payload: null, payload_b64: Buffer.from(bytes).toString('base64') });
const broken = Buffer.concat([
  Buffer.from(`{"site_id":"s1","provision_token":"${token}","note":"`),
  Buffer.of(0xff, 0xfe),
  Buffer.from('"}'),
]);

describe('what quarantine keeps of an envelope', () => {
  test('is the envelope without the token', () => {
    const kept = textOf(cutEnvelope(rawOf(envelopeOf()).data));
    expect(kept).not.toContain(token);
    expect(kept).toContain('"temp":22');
  });

  test('a token in bytes that are no text is cut out too, and the rest of the bytes kept', () => {
    const kept = JSON.parse(textOf(cutEnvelope(rawOf(inBase64(broken)).data)));
    const payload = Buffer.from(kept.payload_b64, 'base64');
    expect(payload.toString('latin1')).not.toContain(token);
    expect(payload.includes(Buffer.of(0xff, 0xfe))).toBe(true);
  });

  test.each([
    ['escaped slashes', (text: string) => text.replaceAll('/', String.raw`\/`)],
    ['an escaped name', (text: string) => text.replace('payload_b64', String.raw`payload\u005Fb64`)],
    ['white space', (text: string) => text.replace('"payload_b64":', '"payload_b64" : ')],
    ['a member of another name', (text: string) => text.replace('payload_b64', 'data')],
    ['text that is not JSON', (text: string) => text.slice(0, -1)],
  ])('in %s as well', (_, spell) => {
    // All padding lengths, so that slashes turn up too.
    for (let index = 0; index < 40; index++) {
      const bytes = Buffer.concat([broken, Buffer.from('?'.repeat(index))]);
      const kept = textOf(cutEnvelope(Buffer.from(spell(JSON.stringify(inBase64(bytes))))));
      const base64 = /(?:b64|data)" ?: ?"([^"]*)"/i.exec(kept)?.[1]?.replaceAll('\\', '') ?? 'not found';
      expect(Buffer.from(base64, 'base64').toString('latin1')).not.toContain(token);
      expect(Buffer.from(base64, 'base64').toString('latin1')).toContain('site_id');
    }
  });

  test('what holds no token keeps its bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), (bytes, wrap) => {
        const data = wrap ? rawOf(inBase64(bytes)).data : bytes;
        expect(textOf(cutEnvelope(data))).toBe(textOf(data));
      }),
    );
  });

  test('a payload as large as a door takes is no trouble', () => {
    const data = rawOf(inBase64(Buffer.alloc(256 * 1024, 0xff))).data;
    expect(cutEnvelope(data)).toEqual(data);
  });
});

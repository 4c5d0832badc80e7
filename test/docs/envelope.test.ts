import { expect, test } from 'bun:test';
import type { DeviceId, TenantId } from '../../src/model/identifiers.ts';
import { encodeMsgId } from '../../src/model/identity.ts';
import { hashToken } from '../../src/model/token.ts';
import { decode } from '../../src/worker/decode.ts';
import { judge } from '../../src/worker/judge/judge.ts';
import type { PlanEntry } from '../../src/worker/plan.ts';
import { createTap } from '../../src/worker/tap.ts';
import { arrivedAtMs, deviceOf, options, rawOf, registryOf } from '../worker/messages.ts';
import { codeBlocks, readDoc } from './code-blocks.ts';

const doc = await readDoc('docs/reference/envelope.md');
const registry = registryOf([
  deviceOf({
    tenantId: 'demo' as TenantId,
    deviceId: 'demo-1' as DeviceId,
    siteId: 'site-1',
    tokenSha256: hashToken('trb_…'),
  }),
]);

const ignore = () => undefined;

function decoded(envelope: string) {
  return decode(rawOf(envelope, { subject: 'telemetry.demo' }), options);
}

/** The envelope in the shell line: what stands between the quotes. */
function envelopeByHand(): string {
  const [line = ''] = codeBlocks(doc, 'sh');
  return /'(\{[\s\S]*\})'/.exec(line)?.[1] ?? '';
}

test('the worker accepts every envelope that the page shows', () => {
  const envelopes = [...codeBlocks(doc, 'json'), envelopeByHand()];
  expect(envelopes).toHaveLength(3);
  for (const envelope of envelopes) {
    expect(judge(decoded(envelope), registry)).toMatchObject({ outcome: 'accept' });
  }
});

test('the page gives the id under which a door publishes its example', () => {
  const [example = ''] = codeBlocks(doc, 'json');
  const { kind, identity, bodyHash } = decoded(example).identity;
  expect(kind).toBe('content');
  expect(doc).toContain(`\`${encodeMsgId({ kind: 'content', identity, bodyHash })}\``);
});

test('the page names every member that a door writes', () => {
  const [example = '{}'] = codeBlocks(doc, 'json');
  for (const member of Object.keys(JSON.parse(example)))
    expect(doc).toMatch(new RegExp(`^\\| .*\`${member}\``, 'm'));
});

test('the arrival of its example is the time that the page says', () => {
  const [example = ''] = codeBlocks(doc, 'json');
  expect(decoded(example).arrivedAtMs).toBe(arrivedAtMs);
});

test('the tap sends what the page shows when its example is stored', () => {
  const [example = ''] = codeBlocks(doc, 'json');
  const message = decoded(example);
  const sent: unknown[] = [];
  const tap = createTap((tenantId, deviceId, data) => sent.push([tenantId, deviceId, data]));
  const verdict = judge(message, registry);
  const pulled = { ...message.raw, streamCreated: '', ack: ignore, nak: ignore, working: ignore };
  const entry: PlanEntry = { message: pulled, decoded: message, charged: undefined, refused: undefined };
  tap([{ entry, outcome: 'stored', verdict }]);
  expect(sent).toEqual([['demo', 'demo-1', codeBlocks(doc, 'json tap')[0]?.trim()]]);
});

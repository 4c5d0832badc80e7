import { expect, test } from 'bun:test';
import { RouteFault } from '../../src/model/route-fault.ts';
import { checkTopicFilter } from '../../src/model/topic-filter.ts';

test.each([
  '#',
  'tenant/#',
  '+/acme/device/#',
  'tenant/acme/device/+/telemetry',
  'tenant/+/device/d:1.a/heartbeat',
  'tenant/acme/device/d1/status',
  'tenant/acme/device/d1/telemetry/#',
])('%s is taken', (filter) => checkTopicFilter(filter, 'acme'));

test.each([
  ['', undefined, 'empty'],
  ['tenant/#/device', 7, '# stands alone'],
  ['tenant/ac#', 9, '# stands alone'],
  ['tenant/acme/device/d+/telemetry', 20, '+ stands for'],
  ['x'.repeat(513), undefined, 'at most 512'],
  ['sensors/#', 0, 'matches no topic'],
  ['tenant/rival/device/#', 7, 'matches no topic'],
  ['tenant/acme', 7, 'matches no topic'],
  ['tenant/acme/device/+/alarm', 21, 'matches no topic'],
  ['tenant/acme/device/+/telemetry/x', 31, 'matches no topic'],
] as const)('%s is refused at %p', (filter, position, part) => {
  let fault: unknown;
  try {
    checkTopicFilter(filter, 'acme');
  } catch (error) {
    fault = error;
  }
  if (!(fault instanceof RouteFault)) throw new Error(`was taken: ${filter}`);
  expect([fault.field, fault.position]).toEqual(['topic_filter', position]);
  expect(fault.message).toContain(part);
});

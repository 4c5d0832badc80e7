import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { DeviceId, TenantId } from '../../../src/model/identifiers.ts';
import type { RegisteredDevice } from '../../../src/model/registry.ts';
import { createDeviceTable } from '../../../src/store/feed/device-table.ts';

const optional = <T>(values: fc.Arbitrary<T>) => fc.option(values, { nil: undefined, freq: 2 });
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
// All of them or none: most devices have none.
const rarities = fc.option(
  fc.record({
    previousTokenSha256: optional(hash),
    previousTokenUntilMs: optional(fc.nat()),
    ratePerSecond: optional(fc.constantFrom(0.5, 5)),
    burst: optional(fc.nat()),
    maxSensors: optional(fc.constantFrom(0, 7)),
  }),
  { freq: 2 },
);
const noRarities = {
  previousTokenSha256: undefined,
  previousTokenUntilMs: undefined,
  ratePerSecond: undefined,
  burst: undefined,
  maxSensors: undefined,
};
const commons = fc.record({
  tenantId: fc.constantFrom('t1', 't2').map((id) => id as TenantId),
  deviceId: fc.constantFrom('a', 'b', 'c').map((id) => id as DeviceId),
  siteId: fc.constantFrom('s1', 's2', 's3'),
  tokenSha256: optional(hash),
  revoked: fc.boolean(),
});
const devices: fc.Arbitrary<RegisteredDevice> = fc
  .tuple(commons, rarities)
  .map(([common, rare]) => ({ ...common, ...(rare ?? noRarities) }));
const steps = fc.array(
  fc.oneof(
    devices.map((device) => ({ device, isGone: false })),
    devices.map((device) => ({ device, isGone: true })),
  ),
  { minLength: 20, maxLength: 60 },
);

test('the packed table answers as a plain map of devices does', () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const table = createDeviceTable(1);
      const plain = new Map<string, RegisteredDevice>();
      for (const { device, isGone } of sequence) {
        const key = `${device.tenantId}/${device.deviceId}`;
        if (isGone) {
          table.delete(device.tenantId, device.deviceId);
          plain.delete(key);
        } else {
          table.set(device);
          plain.set(key, device);
        }
        expect(table.size).toBe(plain.size);
      }
      for (const tenantId of ['t1', 't2', 't3']) {
        for (const deviceId of ['a', 'b', 'c', 'd']) {
          expect(table.get(tenantId, deviceId)).toEqual(plain.get(`${tenantId}/${deviceId}`));
        }
      }
    }),
  );
});

import { expect, test } from 'bun:test';
import { type Applicant, createAdmission, type DoorRegistry } from '../../src/intake/admission.ts';
import type { TenantId } from '../../src/model/identifiers.ts';
import { deviceKey } from '../../src/model/identifiers.ts';
import type { RegisteredDevice } from '../../src/model/registry.ts';
import { hashToken } from '../../src/model/token.ts';
import { registeredDevice } from '../harness/registered-device.ts';

const tenant = 'acme' as TenantId;

function device(id: string, fields: Partial<RegisteredDevice> = {}): RegisteredDevice {
  return registeredDevice(tenant, id, 'right', fields);
}

/** A registry with tenant `acme`; whoever holds the object may change `fresh`. */
function registryOf(...devices: RegisteredDevice[]): DoorRegistry & { fresh: boolean } {
  const byKey = new Map(devices.map((entry) => [deviceKey(entry.tenantId, entry.deviceId), entry]));
  return {
    fresh: true,
    version: 1,
    device: (tenantId, deviceId) => byKey.get(deviceKey(tenantId, deviceId)),
    tenant: (tenantId) =>
      tenantId === tenant
        ? {
            tenantId: tenant,
            ratePerSecond: undefined,
            burst: undefined,
            deviceRatePerSecond: undefined,
            deviceBurst: undefined,
          }
        : undefined,
  };
}

function admissionWith(registry: DoorRegistry | undefined, syncAuth: boolean) {
  let nowMs = 1_000_000;
  const wall = { aheadMs: 0 };
  const admission = createAdmission({
    registry,
    syncAuth,
    unknownTenantRate: 2,
    unknownTenantBurst: 3,
    now: () => nowMs,
    wallClock: () => nowMs + wall.aheadMs,
    random: () => 0.5,
  });
  return {
    admit: (applicant: Partial<Applicant>) =>
      admission.admit({ tenantId: tenant, deviceId: 'd1', token: 'right', ...applicant }),
    pass: (ms: number) => {
      nowMs += ms;
    },
    stepWallClock: (ms: number) => {
      wall.aheadMs += ms;
    },
  };
}

test('with the synchronous check wrong token, unknown device and device without a token read alike', () => {
  const { admit } = admissionWith(registryOf(device('d1'), device('d2', { tokenSha256: undefined })), true);
  expect(admit({})).toBeUndefined();
  expect(admit({ token: 'wrong' })).toEqual({ refusal: 'token_refused' });
  expect(admit({ token: '' })).toEqual({ refusal: 'token_refused' });
  expect(admit({ deviceId: 'nobody' })).toEqual({ refusal: 'token_refused' });
  expect(admit({ deviceId: 'd2' })).toEqual({ refusal: 'token_refused' });
  expect(admit({ tenantId: 'other' })).toEqual({ refusal: 'token_refused' });
});

test('that a device is revoked is told only to the holder of its token', () => {
  const { admit } = admissionWith(registryOf(device('d1', { revoked: true })), true);
  expect(admit({})).toEqual({ refusal: 'device_revoked' });
  expect(admit({ token: 'wrong' })).toEqual({ refusal: 'token_refused' });
});

test('the token before the rotation is good until its time', () => {
  const rotated = device('d1', {
    tokenSha256: hashToken('new'),
    previousTokenSha256: hashToken('old'),
    previousTokenUntilMs: 1_010_000,
  });
  const { admit, pass } = admissionWith(registryOf(rotated), true);
  expect(admit({ token: 'new' })).toBeUndefined();
  expect(admit({ token: 'old' })).toBeUndefined();
  pass(9_999);
  expect(admit({ token: 'old' })).toBeUndefined();
  pass(1);
  expect(admit({ token: 'old' })).toEqual({ refusal: 'token_refused' });
  expect(admit({ token: 'new' })).toBeUndefined();
});

test('unknown tenants share one bucket; known ones do not touch it', () => {
  const { admit, pass } = admissionWith(registryOf(device('d1')), false);
  for (const tenantId of ['x', 'y', 'z']) expect(admit({ tenantId })).toBeUndefined();
  const refused = admit({ tenantId: 'w' });
  expect(refused).toEqual({ refusal: 'unknown_tenant_limit', retryAfterSeconds: 1 });
  for (let n = 0; n < 100; n++) expect(admit({ token: 'wrong' })).toBeUndefined();
  pass(500);
  expect(admit({ tenantId: 'w' })).toBeUndefined();
  expect(admit({ tenantId: 'x' })).toMatchObject({ refusal: 'unknown_tenant_limit' });
});

test('a step of the wall clock neither fills the bucket of the unknown nor empties it', () => {
  const { admit, pass, stepWallClock } = admissionWith(registryOf(device('d1')), false);
  for (const tenantId of ['x', 'y', 'z']) expect(admit({ tenantId })).toBeUndefined();
  stepWallClock(3 * 3_600_000);
  expect(admit({ tenantId: 'w' })).toEqual({ refusal: 'unknown_tenant_limit', retryAfterSeconds: 1 });
  stepWallClock(-6 * 3_600_000);
  pass(500);
  expect(admit({ tenantId: 'w' })).toBeUndefined();
});

test('while the registry is not fresh, or there is none, nobody is turned away', () => {
  const registry = registryOf(device('d1', { revoked: true }));
  registry.fresh = false;
  for (const syncAuth of [true, false]) {
    for (const door of [admissionWith(registry, syncAuth), admissionWith(undefined, syncAuth)]) {
      for (let n = 0; n < 10; n++) expect(door.admit({ tenantId: 'x', token: 'wrong' })).toBeUndefined();
      expect(door.admit({})).toBeUndefined();
    }
  }
  registry.fresh = true;
  expect(admissionWith(registry, true).admit({})).toEqual({ refusal: 'device_revoked' });
});

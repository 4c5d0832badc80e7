import { existsSync, readFileSync, rmSync } from 'node:fs';
import type pg from 'pg';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import {
  createSecret,
  deviceTokenPrefix,
  hashToken,
  operatorKeyPrefix,
  secretBytes,
} from '../../model/token.ts';
import { addDevice } from '../../store/registry/add-device.ts';
import { addOperatorKey } from '../../store/registry/add-operator-key.ts';
import { addTenant } from '../../store/registry/add-tenant.ts';
import { findOperatorKey } from '../../store/registry/find-operator-key.ts';
import { isDeviceToken } from '../../store/registry/is-device-token.ts';
import { RegistryError, type RegistryErrorCode } from '../../store/registry/registry-error.ts';
import { writeFileAtomically } from './data-folder.ts';

const demoSchema = Type.Object({
  tenantId: Type.Unsafe<TenantId>(Type.String()),
  deviceId: Type.Unsafe<DeviceId>(Type.String()),
  siteId: Type.String(),
  token: Type.String(),
  /** Whether the registry has it; a start that was cut off between the two is completed by the next. */
  registered: Type.Boolean(),
});

/** The device that the first start registers, so that there is something to paste. */
export type DemoDevice = Readonly<Static<typeof demoSchema>>;

/** Gives that many random bytes. */
export type RandomBytes = (count: number) => Uint8Array;

/**
 * Registers the demo device on the first start and returns it on later ones, too, as long as its token is valid:
 * whoever deletes the device or rotates its token is not given them back.
 */
export async function ensureDemoDevice(
  file: string,
  pool: pg.Pool,
  random: RandomBytes,
): Promise<DemoDevice | undefined> {
  const known = readDemo(file);
  if (known?.registered === true) {
    const valid = await isDeviceToken(pool, known.tenantId, known.deviceId, hashToken(known.token));
    return valid ? known : undefined;
  }
  const demo = known ?? newDemo(random);
  writeDemo(file, demo);
  const isNewTenant = await unlessThere('tenant_exists', addTenant(pool, demo.tenantId, { name: 'Demo' }));
  if (!isNewTenant && known === undefined) {
    // Somebody else's demo in a database that we share: not ours to add to.
    rmSync(file);
    return undefined;
  }
  const { deviceId, siteId, token } = demo;
  await unlessThere(
    'device_exists',
    addDevice(pool, demo.tenantId, { deviceId, siteId, tokenSha256: hashToken(token) }),
  );
  const registered = { ...demo, registered: true };
  writeDemo(file, registered);
  return registered;
}

/**
 * An operator key for the commands on this machine and the console; one that was revoked is replaced at the next start.
 * @returns the key when it is new
 */
export async function ensureOperatorKey(
  file: string,
  pool: pg.Pool,
  random: RandomBytes,
): Promise<string | undefined> {
  const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (known !== '' && (await findOperatorKey(pool, hashToken(known))) !== undefined) return undefined;
  const key = createSecret(operatorKeyPrefix, random(secretBytes));
  writeFileAtomically(file, `${key}\n`);
  // Names are unique, those of revoked keys included.
  const name = `up-${hashToken(key).toString('hex').slice(0, 8)}`;
  await addOperatorKey(pool, name, hashToken(key));
  return key;
}

function newDemo(random: RandomBytes): DemoDevice {
  return {
    tenantId: 'demo' as TenantId,
    deviceId: 'demo-1' as DeviceId,
    siteId: 'site-1',
    token: createSecret(deviceTokenPrefix, random(secretBytes)),
    registered: false,
  };
}

/** Resolves to whether the change was made; `false` when it was there already. */
async function unlessThere(code: RegistryErrorCode, change: Promise<unknown>): Promise<boolean> {
  try {
    await change;
    return true;
  } catch (error) {
    if (error instanceof RegistryError && error.code === code) return false;
    throw error;
  }
}

function readDemo(file: string): DemoDevice | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return Check(demoSchema, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function writeDemo(file: string, demo: DemoDevice): void {
  writeFileAtomically(file, `${JSON.stringify(demo, null, 2)}\n`);
}

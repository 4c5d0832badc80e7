import { existsSync, readFileSync } from 'node:fs';
import Type, { type Static } from 'typebox';
import { Check } from 'typebox/value';
import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import { createSecret, deviceTokenPrefix, operatorKeyPrefix, secretBytes } from '../../model/token.ts';
import { writeFileAtomically } from './data-folder.ts';

const demoSchema = Type.Object({
  tenantId: Type.String(),
  deviceId: Type.String(),
  siteId: Type.String(),
  token: Type.String(),
  /** Whether the registry has it; a start that was cut off between the two is completed by the next. */
  registered: Type.Boolean(),
});

/** The device that the first start registers, so that there is something to paste. */
export type DemoDevice = Readonly<Static<typeof demoSchema>>;

/** What the demo needs of the registry. */
export type DemoRegistry = {
  hasTenant(tenantId: TenantId): Promise<boolean>;
  /** Registers tenant and device; what is there already stays as it is. */
  register(demo: DemoDevice): Promise<void>;
  /** Whether the device is there and this is its token. */
  isValid(demo: DemoDevice): Promise<boolean>;
  /** Adds an operator key unless this one is there. */
  addOperatorKey(key: string): Promise<void>;
  hasOperatorKey(key: string): Promise<boolean>;
};

export type Random = (bytes: number) => Uint8Array;

/**
 * Registers the demo device on the first start and returns it on later ones, too, as long as its token is valid:
 * whoever deletes the tenant or rotates the token does not get it back.
 */
export async function ensureDemoDevice(
  file: string,
  registry: DemoRegistry,
  random: Random,
): Promise<DemoDevice | undefined> {
  const known = readDemo(file);
  if (known?.registered === true) return (await registry.isValid(known)) ? known : undefined;
  // A database that others have filled already gets no demo.
  if (known === undefined && (await registry.hasTenant('demo' as TenantId))) return undefined;
  const demo = known ?? {
    tenantId: 'demo',
    deviceId: 'thermometer-1',
    siteId: 'home',
    token: createSecret(deviceTokenPrefix, random(secretBytes)),
    registered: false,
  };
  writeDemo(file, demo);
  await registry.register(demo);
  const registered = { ...demo, registered: true };
  writeDemo(file, registered);
  return registered;
}

/** An operator key for the commands on this machine; a revoked one is replaced by the next start. */
export async function ensureOperatorKey(file: string, registry: DemoRegistry, random: Random): Promise<void> {
  const known = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (known !== '' && (await registry.hasOperatorKey(known))) return;
  const key = createSecret(operatorKeyPrefix, random(secretBytes));
  writeFileAtomically(file, `${key}\n`);
  await registry.addOperatorKey(key);
}

export function demoIds(demo: DemoDevice): { readonly tenantId: TenantId; readonly deviceId: DeviceId } {
  return { tenantId: demo.tenantId as TenantId, deviceId: demo.deviceId as DeviceId };
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

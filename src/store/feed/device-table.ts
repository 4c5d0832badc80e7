import type { DeviceId, TenantId } from '../../model/identifiers.ts';
import type { RegisteredDevice } from '../../model/registry.ts';

/**
 * All registered devices in memory, packed: at a million devices an object each would cost several hundred bytes
 * more. Every device has a slot: its token's hash lies in one array of bytes, its site is a number, and what few
 * devices have (a token before, limits of their own) is kept aside.
 */
export interface DeviceTable {
  get(tenantId: string, deviceId: string): RegisteredDevice | undefined;
  set(device: RegisteredDevice): void;
  delete(tenantId: string, deviceId: string): void;
  readonly size: number;
}

type Rarities = Pick<
  RegisteredDevice,
  'previousTokenSha256' | 'previousTokenUntilMs' | 'ratePerSecond' | 'burst' | 'maxSensors'
>;

const hashBytes = 32;
const hasToken = 1;
const isRevoked = 2;
const noRarities: Rarities = {
  previousTokenSha256: undefined,
  previousTokenUntilMs: undefined,
  ratePerSecond: undefined,
  burst: undefined,
  maxSensors: undefined,
};

export function createDeviceTable(initialCapacity = 1024): DeviceTable {
  const slots = new Map<string, Map<string, number>>();
  const freeSlots: number[] = [];
  const sites = createInterner();
  const rarities = new Map<number, Rarities>();
  let capacity = initialCapacity;
  let used = 0;
  let tokens = new Uint8Array(capacity * hashBytes);
  let flags = new Uint8Array(capacity);
  let siteNumbers = new Uint32Array(capacity);

  function grow(): void {
    capacity *= 2;
    tokens = copyInto(new Uint8Array(capacity * hashBytes), tokens);
    flags = copyInto(new Uint8Array(capacity), flags);
    siteNumbers = copyInto(new Uint32Array(capacity), siteNumbers);
  }

  function slotFor(tenantId: string, deviceId: string): number {
    let devices = slots.get(tenantId);
    if (devices === undefined) {
      devices = new Map();
      slots.set(tenantId, devices);
    }
    const known = devices.get(deviceId);
    if (known !== undefined) return known;
    if (freeSlots.length === 0 && used === capacity) grow();
    const slot = freeSlots.pop() ?? used++;
    devices.set(deviceId, slot);
    return slot;
  }

  return {
    get size() {
      return used - freeSlots.length;
    },
    get(tenantId, deviceId) {
      const slot = slots.get(tenantId)?.get(deviceId);
      if (slot === undefined) return undefined;
      const flag = flags[slot] ?? 0;
      const at = slot * hashBytes;
      const rare = rarities.get(slot) ?? noRarities;
      return {
        tenantId: tenantId as TenantId,
        deviceId: deviceId as DeviceId,
        siteId: sites.text(siteNumbers[slot] ?? 0),
        // A copy: the slot may become another device's.
        tokenSha256: flag & hasToken ? tokens.slice(at, at + hashBytes) : undefined,
        revoked: (flag & isRevoked) !== 0,
        // Written out: this runs for every message, and a spread copies slowly.
        previousTokenSha256: rare.previousTokenSha256,
        previousTokenUntilMs: rare.previousTokenUntilMs,
        ratePerSecond: rare.ratePerSecond,
        burst: rare.burst,
        maxSensors: rare.maxSensors,
      };
    },
    set(device) {
      const slot = slotFor(device.tenantId, device.deviceId);
      if (device.tokenSha256 !== undefined) tokens.set(device.tokenSha256, slot * hashBytes);
      flags[slot] = (device.tokenSha256 === undefined ? 0 : hasToken) | (device.revoked ? isRevoked : 0);
      siteNumbers[slot] = sites.number(device.siteId);
      const rare = raritiesOf(device);
      if (rare === undefined) rarities.delete(slot);
      else rarities.set(slot, rare);
    },
    delete(tenantId, deviceId) {
      const devices = slots.get(tenantId);
      const slot = devices?.get(deviceId);
      if (devices === undefined || slot === undefined) return;
      devices.delete(deviceId);
      if (devices.size === 0) slots.delete(tenantId);
      rarities.delete(slot);
      freeSlots.push(slot);
    },
  };
}

function raritiesOf(device: RegisteredDevice): Rarities | undefined {
  const { previousTokenSha256, previousTokenUntilMs, ratePerSecond, burst, maxSensors } = device;
  const rare = { previousTokenSha256, previousTokenUntilMs, ratePerSecond, burst, maxSensors };
  return Object.values(rare).every((value) => value === undefined) ? undefined : rare;
}

function copyInto<T extends Uint8Array | Uint32Array>(target: T, source: T): T {
  target.set(source);
  return target;
}

/** Texts as numbers: many devices share few sites. Keeps every text it has seen. */
function createInterner() {
  const numbers = new Map<string, number>();
  const texts: string[] = [];
  return {
    number(text: string): number {
      const known = numbers.get(text);
      if (known !== undefined) return known;
      numbers.set(text, texts.length);
      return texts.push(text) - 1;
    },
    text: (number: number): string => texts[number] ?? '',
  };
}

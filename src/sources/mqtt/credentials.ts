import type { RegisteredDevice } from '../../model/registry.ts';
import { decodeUtf8 } from '../../model/strict-json.ts';
import { equalHash, hashToken } from '../../model/token.ts';
import type { MqttRefusal } from '../../observe/mqtt.ts';
import type { Identity } from './session.ts';
import { type DeviceName, parseUsername } from './topics.ts';

/** What is asked of the registry feed. */
export interface DeviceRegistry {
  /** False: what it says may be out of date, nobody is refused on its word. */
  readonly fresh: boolean;
  device(tenantId: string, deviceId: string): RegisteredDevice | undefined;
}

export type Judgement =
  | { readonly ok: true; readonly identity: Identity }
  | { readonly ok: false; readonly reason: MqttRefusal; readonly returnCode: 2 | 4 | 5 };

export interface Credentials {
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
}

export interface JudgeOptions {
  readonly registry: DeviceRegistry;
  readonly allowAnonymous: boolean;
  readonly clock: () => number;
}

/** Judges the credentials of a CONNECT. Unknown device and wrong token are answered alike. */
export function judgeCredentials(credentials: Credentials, options: JudgeOptions): Judgement {
  const { username, password } = credentials;
  if (username === undefined && password === undefined) {
    if (options.allowAnonymous) return { ok: true, identity: { kind: 'anonymous' } };
    return { ok: false, reason: 'anonymous', returnCode: 5 };
  }
  const device = parseUsername(username ?? '');
  const token = password === undefined ? undefined : decodeUtf8(password);
  if (username === undefined || device === undefined || token === undefined || token === '') {
    return { ok: false, reason: 'bad_credentials', returnCode: 4 };
  }
  const tokenSha256 = hashToken(token);
  const identity = { kind: 'device', device, username, token, tokenSha256 } as const;
  if (!options.registry.fresh) return { ok: true, identity: { ...identity, verified: false } };
  const reason = checkToken(device, tokenSha256, options);
  if (reason === undefined) return { ok: true, identity: { ...identity, verified: true } };
  return { ok: false, reason, returnCode: reason === 'device_revoked' ? 5 : 4 };
}

/** Whether the registry, as it is now, knows the token for the device; the reason when it does not. */
export function checkToken(
  name: DeviceName,
  tokenSha256: Uint8Array,
  { registry, clock }: Pick<JudgeOptions, 'registry' | 'clock'>,
): 'bad_credentials' | 'device_revoked' | undefined {
  const device = registry.device(name.tenantId, name.deviceId);
  if (device === undefined || !knowsToken(device, tokenSha256, clock())) return 'bad_credentials';
  return device.revoked ? 'device_revoked' : undefined;
}

function knowsToken(device: RegisteredDevice, tokenSha256: Uint8Array, nowMs: number): boolean {
  const { tokenSha256: current, previousTokenSha256: previous, previousTokenUntilMs } = device;
  const isCurrent = current !== undefined && equalHash(current, tokenSha256);
  const isPrevious = previous !== undefined && equalHash(previous, tokenSha256);
  return isCurrent || (isPrevious && previousTokenUntilMs !== undefined && nowMs < previousTokenUntilMs);
}

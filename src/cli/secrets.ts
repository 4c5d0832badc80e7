import { randomBytes } from 'node:crypto';
import { createSigningSecret } from '../model/signing-secret.ts';
import {
  createSecret,
  deviceTokenPrefix,
  operatorKeyPrefix,
  secretBytes,
  tenantKeyPrefix,
  tokenFault,
} from '../model/token.ts';
import { usageError } from './exit-codes.ts';

/** Of a webhook: what Standard Webhooks calls a secret. */
export function newSigningSecret(): string {
  return createSigningSecret(randomBytes(secretBytes));
}

export function newDeviceToken(): string {
  return createSecret(deviceTokenPrefix, randomBytes(secretBytes));
}

export function newOperatorKey(): string {
  return createSecret(operatorKeyPrefix, randomBytes(secretBytes));
}

export function newTenantKey(): string {
  return createSecret(tenantKeyPrefix, randomBytes(secretBytes));
}

/** The token of `--token`: as given, or from standard input for `-`, which the list of processes does not show. */
export async function tokenFromOption(option: string, readStdin: () => Promise<string>): Promise<string> {
  const token = option === '-' ? (await readStdin()).trim() : option;
  const fault = tokenFault(token);
  if (fault !== undefined) throw usageError(`the token ${fault}.`);
  return token;
}

import { randomBytes } from 'node:crypto';
import { createSecret, deviceTokenPrefix, operatorKeyPrefix, secretBytes } from '../model/token.ts';
import { usageError } from './exit-codes.ts';

/** Of a webhook: what Standard Webhooks calls a secret. */
export function newSigningSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

const maxTokenLength = 512;

export function newDeviceToken(): string {
  return createSecret(deviceTokenPrefix, randomBytes(secretBytes));
}

export function newOperatorKey(): string {
  return createSecret(operatorKeyPrefix, randomBytes(secretBytes));
}

/** Why a token that somebody brings cannot be used; undefined when it can. It must fit into an HTTP header. */
export function tokenFault(token: string): string | undefined {
  if (token.length === 0 || token.length > maxTokenLength)
    return `must have 1 to ${maxTokenLength} characters`;
  return /^[\x21-\x7e]+$/.test(token) ? undefined : 'must be of visible ASCII characters, without spaces';
}

/** The token of `--token`: as given, or from standard input for `-`, which the list of processes does not show. */
export async function tokenFromOption(option: string, readStdin: () => Promise<string>): Promise<string> {
  const token = option === '-' ? (await readStdin()).trim() : option;
  const fault = tokenFault(token);
  if (fault !== undefined) throw usageError(`the token ${fault}.`);
  return token;
}

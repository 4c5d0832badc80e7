import { existsSync, readFileSync } from 'node:fs';
import { parseReceiptKey } from '../../model/receipt.ts';
import { parseSecretsKey } from '../../model/route-secrets.ts';
import { writeFileAtomically } from './data-folder.ts';
import { UpError } from './up-error.ts';

/**
 * The key in the data folder that seals routes' secrets, in base64; made on the first start.
 * @throws UpError when the file holds none
 */
export function ensureSecretsKey(file: string, randomBytes: (size: number) => Buffer): string {
  return ensureKey(file, randomBytes, parseSecretsKey, 'set routes’ secrets again');
}

/**
 * The key in the data folder that signs receipts, in base64; made on the first start.
 * @throws UpError when the file holds none
 */
export function ensureReceiptKey(file: string, randomBytes: (size: number) => Buffer): string {
  return ensureKey(file, randomBytes, parseReceiptKey, 'do without the receipts given so far');
}

function ensureKey(
  file: string,
  randomBytes: (size: number) => Buffer,
  parse: (text: string) => unknown,
  otherwise: string,
): string {
  if (!existsSync(file)) writeFileAtomically(file, `${randomBytes(32).toString('base64')}\n`);
  const key = readFileSync(file, 'utf8').trim();
  try {
    parse(key);
  } catch (cause) {
    throw new UpError(`${file} holds no key: restore it from a backup, or remove it and ${otherwise}.`, {
      cause,
    });
  }
  return key;
}

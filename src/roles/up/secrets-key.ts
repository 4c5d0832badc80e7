import { existsSync, readFileSync } from 'node:fs';
import { parseSecretsKey } from '../../model/route-secrets.ts';
import { writeFileAtomically } from './data-folder.ts';
import { UpError } from './up-error.ts';

/**
 * The key in the data folder that seals routes' secrets, in base64; made on the first start.
 * @throws UpError when the file holds none
 */
export function ensureSecretsKey(file: string, randomBytes: (size: number) => Buffer): string {
  if (!existsSync(file)) writeFileAtomically(file, `${randomBytes(32).toString('base64')}\n`);
  const key = readFileSync(file, 'utf8').trim();
  try {
    parseSecretsKey(key);
  } catch (error) {
    throw new UpError(
      `${file} holds no key: restore it from a backup, or remove it and set routes’ secrets again.`,
      {
        cause: error,
      },
    );
  }
  return key;
}

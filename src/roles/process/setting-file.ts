import { readFileSync } from 'node:fs';
import { type Config, type SettingName, settings } from '../../config/settings.ts';

/** The content of the file that a setting names. @throws Error with one sentence that names setting and file */
export function readSettingFile(config: Config, name: SettingName): Buffer | undefined {
  const file = config[name];
  if (file === undefined) return undefined;
  try {
    return readFileSync(String(file));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${settings[name].env} names a file that cannot be read: ${why}`, { cause });
  }
}

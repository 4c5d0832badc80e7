import { ConfigError, type Environment } from './parse-config.ts';
import { type Setting, settings } from './settings.ts';

/** The variable that names a file with the setting's value in its place. */
export const fileVariableOf = (setting: Setting) => `${setting.env}_FILE`;

/**
 * Puts in place of every `X_FILE` the content of the file it names, without the line's end: for secrets, which many
 * platforms hand to a process as files. Only settings that are secret have such a variable.
 *
 * @param read the content of a file; throws when it cannot be read
 * @throws ConfigError that names every file that cannot be read, is empty, or is named beside the value itself
 */
export function withSecretFiles(environment: Environment, read: (file: string) => string): Environment {
  const resolved: Record<string, string | undefined> = { ...environment };
  const faults: string[] = [];
  for (const setting of Object.values<Setting>(settings)) {
    const variable = fileVariableOf(setting);
    const file = environment[variable];
    if (setting.secret !== true || file === undefined || file === '') continue;
    delete resolved[variable];
    if ((environment[setting.env] ?? '') !== '') {
      faults.push(`${variable} and ${setting.env} are both set: leave one of them out.`);
      continue;
    }
    try {
      const content = read(file).replace(/\r?\n$/, '');
      if (content === '') faults.push(`${variable}=${file} is empty. ${setting.about}`);
      resolved[setting.env] = content;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      faults.push(`${variable}=${file} cannot be read: ${why}`);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return resolved;
}

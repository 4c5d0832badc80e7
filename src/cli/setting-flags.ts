import { type Command, Option } from 'commander';
import { flagOf, type Overrides } from '../config/parse-config.ts';
import { type Setting, type SettingName, settings } from '../config/settings.ts';

export const connectionSettings: readonly SettingName[] = ['databaseUrl', 'natsUrl', 'dataDir'];
const names = Object.keys(settings) as SettingName[];

/** Gives a command the flags of these settings, in the table's words. */
export function addSettingFlags(command: Command, which: readonly SettingName[] = names): Command {
  for (const name of which) command.addOption(settingOption(name));
  return command;
}

/** What was given as flags; what was not comes from the environment. */
export function settingOverrides(options: Readonly<Record<string, unknown>>): Overrides {
  const overrides: Partial<Record<SettingName, string | boolean>> = {};
  for (const name of names) {
    const value = options[name];
    if (typeof value === 'string' || typeof value === 'boolean') overrides[name] = value;
  }
  return overrides;
}

function settingOption(name: SettingName): Option {
  const setting: Setting = settings[name];
  const about = `${setting.about} [${setting.env}${shownDefault(setting)}]`;
  const type = placeholder(setting);
  const option =
    type === 'boolean'
      ? new Option(`${flagOf(name)} [yes|no]`, about).preset('yes')
      : new Option(`${flagOf(name)} <${type}>`, about);
  return option.helpGroup('Settings:');
}

function placeholder(setting: Setting): string {
  const type: unknown = 'type' in setting.schema ? setting.schema.type : undefined;
  if (type === 'boolean') return type;
  if (setting.env.endsWith('_URL')) return 'url';
  if (setting.env.endsWith('_DIR')) return 'folder';
  return type === 'integer' || type === 'number' ? 'n' : 'text';
}

function shownDefault(setting: Setting): string {
  return setting.default === undefined ? '' : `=${String(setting.default)}`;
}

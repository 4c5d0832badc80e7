import { Compile } from 'typebox/compile';
import { type Config, type Setting, type SettingName, settings } from './settings.ts';

/** Settings that cannot be used; for each a line that names the variable, the value and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export type Environment = Readonly<Record<string, string | undefined>>;
export type Overrides = Readonly<Partial<Record<SettingName, string | boolean>>>;

/**
 * Builds the configuration from environment variables and, before them, command-line flags.
 * @throws ConfigError that names every value out of its bounds and every unknown `TRIBUTARY_*` variable.
 */
export function parseConfig(environment: Environment, flags: Overrides = {}): Config {
  const config: Record<string, unknown> = {};
  const faults = unknownIn(environment);
  for (const [name, setting] of Object.entries(settings) as [SettingName, Setting][]) {
    const flag = flags[name];
    const text = flag === undefined ? environment[setting.env] : String(flag);
    const origin = flag === undefined ? setting.env : flagOf(name);
    const parsed = text === undefined || text === '' ? { value: setting.default } : parseValue(setting, text);
    if ('fault' in parsed) faults.push(`${origin}=${parsed.fault}`);
    else config[name] = parsed.value;
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return Object.freeze(config) as Config;
}

/** `httpPort` → `--http-port`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function unknownIn(environment: Environment): string[] {
  const known = new Set(Object.values(settings).map((setting) => setting.env));
  const unknown = Object.keys(environment).filter((key) => key.startsWith('TRIBUTARY_') && !known.has(key));
  if (unknown.length === 0) return [];
  return [
    `${unknown.join(', ')}: no such setting. docs/reference/configuration.md lists all; unset or correct it.`,
  ];
}

type Parsed = { readonly value: unknown } | { readonly fault: string };

function parseValue(setting: Setting, text: string): Parsed {
  const value = coerce(setting, text);
  const validator = Compile(setting.schema);
  if (validator.Check(value)) return { value };
  // Of a choice the validator names only the first alternative.
  const isChoice = 'anyOf' in setting.schema;
  const message = isChoice ? undefined : validator.Errors(value)[0]?.message;
  const why = message === undefined ? 'is not allowed' : (plainWords[message] ?? message);
  const shown = setting.secret ? '(secret)' : JSON.stringify(text);
  return { fault: `${shown} ${why}. ${setting.about}` };
}

/** The validator speaks of types; the user typed text. */
const plainWords: Readonly<Record<string, string>> = {
  'must be integer': 'must be a whole number',
  'must be number': 'must be a number',
  'must be boolean': 'must be yes or no',
};

const booleans: Readonly<Record<string, boolean>> = {
  1: true,
  true: true,
  yes: true,
  0: false,
  false: false,
  no: false,
};

/** Turns the text into the schema's type where it can; what it cannot turn fails the check as it stands. */
function coerce(setting: Setting, text: string): unknown {
  const type: unknown = 'type' in setting.schema ? setting.schema.type : undefined;
  if (type === 'boolean') return booleans[text.toLowerCase()] ?? text;
  if (type === 'integer' || type === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  return text;
}

import { existsSync, readFileSync } from 'node:fs';
import type { Config, SettingName } from '../../config/settings.ts';
import { settings } from '../../config/settings.ts';
import { startChild, stopChild } from './child-process.ts';
import type { SupervisedProcess } from './supervisor.ts';

export type RoleName = 'gateway' | 'mqtt' | 'mqtt-bridge' | 'worker' | 'delivery' | 'console';

/** How long a role may drain before it is killed; it cuts itself off after 15 s. JetStream delivers again what it had not acknowledged. */
const drainMs = 20_000;

/** Starts a role as a process of its own: it gets its settings from the environment, as it would anywhere else. */
export function startRole(options: {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logFile: string;
}): SupervisedProcess {
  const child = startChild({
    command: options.command,
    env: options.environment,
    logFile: options.logFile,
    signalWhenParentDies: 'TERM',
  });
  return {
    pid: child.pid,
    exited: child.exited,
    stop: () => stopChild(child, [{ signal: 'SIGTERM', waitMs: drainMs }]),
    kill: () => stopChild(child, []),
  };
}

/** The environment in which a role finds exactly this configuration: flags and defaults included. */
export function roleEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  config: Config,
): Record<string, string | undefined> {
  const environment = { ...base };
  for (const name of Object.keys(settings) as SettingName[]) {
    const value = config[name];
    environment[settings[name].env] = value === undefined ? undefined : String(value);
  }
  return environment;
}

/** The last line of a log that is not one of JSON, or else the message of the last one: what a process said at its end. */
export function lastWords(logFile: string): string | undefined {
  if (!existsSync(logFile)) return undefined;
  const lines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-20).reverse();
  const [lastLine] = lines;
  if (lastLine === undefined || lastLine === '') return undefined;
  try {
    const record: unknown = JSON.parse(lastLine);
    if (typeof record === 'object' && record !== null && 'msg' in record) return String(record.msg);
  } catch {
    // A plain sentence.
  }
  return lastLine.replace(/^error: /, '');
}

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/settings.ts';
import { settings } from '../config/settings.ts';
import { type Instance, readInstance } from '../roles/up/instance.ts';
import { parseNatsUrl } from '../stream/connection.ts';
import { CliError, exitCodes } from './exit-codes.ts';
import { ownProgram } from './own-program.ts';

/** Where something is, and who says so, for an error's sentence. */
export interface Located {
  readonly url: string;
  readonly origin: string;
}

/**
 * Where a command finds what it needs: what the settings say, else the instance that a running `npm start` has noted
 * in its data folder.
 * @throws CliError when neither says
 */
export function locate(place: 'database' | 'nats', config: Config): Located {
  const configured = place === 'database' ? config.databaseUrl : config.natsUrl;
  const variable = place === 'database' ? settings.databaseUrl.env : settings.natsUrl.env;
  if (configured !== undefined) {
    checkAddresses(config);
    return { url: configured, origin: `from ${variable}` };
  }
  const instance = findInstance(config);
  if (instance === undefined) throw noInstance(config);
  const url = place === 'database' ? instance.value.databaseUrl : instance.value.natsUrl;
  return { url, origin: `from ${instance.file}` };
}

/** @throws CliError when an address that the settings name is none */
export function checkAddresses({ databaseUrl, natsUrl }: Config): void {
  if (databaseUrl !== undefined) checkDatabaseUrl(databaseUrl);
  if (natsUrl !== undefined) checkNatsUrl(natsUrl);
}

function checkDatabaseUrl(url: string): void {
  if (/^postgres(ql)?:\/\//.test(url) && URL.canParse(url)) return;
  throw new CliError(
    'DATABASE_URL is not an address like postgres://host:5432/database: correct it.',
    exitCodes.configuration,
  );
}

function checkNatsUrl(url: string): void {
  try {
    parseNatsUrl(url);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`${why}: correct it.`, exitCodes.configuration, { cause: error });
  }
}

export interface FoundInstance {
  readonly value: Instance;
  readonly file: string;
}

/** The running instance of the data folder; with the default folder also the one of this clone. */
export function findInstance(config: Config): FoundInstance | undefined {
  for (const folder of dataFolders(config)) {
    const file = join(folder, 'instance.json');
    const value = readInstance(folder);
    if (value !== undefined) return { value, file };
    if (existsSync(file)) {
      throw new CliError(`${file} cannot be read: run this as the user who runs ${ownProgram.startAs}.`);
    }
  }
  return undefined;
}

export function noInstance(config: Config, otherwise = 'set DATABASE_URL and NATS_URL'): CliError {
  const folders = dataFolders(config).join(' or ');
  return new CliError(
    `no running instance found in ${folders}: run ${ownProgram.startAs}, or ${otherwise}.`,
    exitCodes.unavailable,
  );
}

function dataFolders(config: Config): string[] {
  const folder = resolve(config.dataDir);
  // `npm start` runs in the clone; a command may be called from anywhere.
  const ofClone = resolve(ownProgram.projectRoot ?? '.', config.dataDir);
  return folder === ofClone ? [folder] : [folder, ofClone];
}

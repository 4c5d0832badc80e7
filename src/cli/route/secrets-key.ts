import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { settings } from '../../config/settings.ts';
import { UnsealError } from '../../lib/seal.ts';
import {
  openRouteSecrets,
  parseSecretsKey,
  type RouteSecrets,
  sealRouteSecrets,
} from '../../model/route-secrets.ts';
import { dataFolderAt } from '../../roles/up/data-folder.ts';
import type { Invocation } from '../define-command.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { findInstance } from '../locate.ts';

type WithConfig = Pick<Invocation, 'config'>;

interface RouteName {
  readonly tenantId: string;
  readonly name: string;
}

/** @throws CliError when there is no key, or the text is none */
export function sealSecrets(
  secrets: RouteSecrets,
  { tenantId, name }: RouteName,
  invocation: WithConfig,
): Buffer | undefined {
  if (Object.keys(secrets).length === 0) return undefined;
  return sealRouteSecrets(secrets, requireKey(invocation), tenantId, name);
}

/** @throws CliError when there is no key, or another one */
export function openSecrets(
  sealed: Uint8Array | undefined,
  { tenantId, name }: RouteName,
  invocation: WithConfig,
): RouteSecrets {
  if (sealed === undefined) return {};
  try {
    return openRouteSecrets(sealed, requireKey(invocation), tenantId, name);
  } catch (error) {
    if (!(error instanceof UnsealError)) throw error;
    throw new CliError(
      `the secrets of route ${name} were sealed with another key than ours: set ${settings.secretsKey.env} to ` +
        'the one of the delivery processes.',
      exitCodes.configuration,
      { cause: error },
    );
  }
}

/** The secrets as far as they can be opened; undefined where there are none, or no key. */
export function openSecretsIfPossible(
  sealed: Uint8Array | undefined,
  route: RouteName,
  invocation: WithConfig,
): RouteSecrets | undefined {
  try {
    return sealed === undefined ? undefined : openSecrets(sealed, route, invocation);
  } catch {
    return undefined;
  }
}

/** What the settings say, else the key of the instance that the command works on. */
function requireKey({ config }: WithConfig): Buffer {
  const { env } = settings.secretsKey;
  const { secretsKey } = config;
  if (secretsKey !== undefined) return parseKey(secretsKey, env);
  const instance = findInstance(config);
  // With a database given apart, a key that happens to lie in the data folder is another installation's.
  const isOurs = config.databaseUrl === undefined || config.databaseUrl === instance?.value.databaseUrl;
  if (instance !== undefined && isOurs) {
    const file = dataFolderAt(dirname(instance.file)).secretsKeyFile;
    if (existsSync(file)) return parseKey(readFileSync(file, 'utf8').trim(), file);
  }
  throw new CliError(
    `routes' secrets are sealed with a key, and ${env} is not set: make one with openssl rand -base64 32, ` +
      'and give the same to this command and to every delivery process.',
    exitCodes.configuration,
  );
}

function parseKey(text: string, from: string): Buffer {
  try {
    return parseSecretsKey(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(`${from}: ${why}`, exitCodes.configuration, { cause: error });
  }
}

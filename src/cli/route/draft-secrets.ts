import { readFileSync } from 'node:fs';
import { type NextSecrets, nextRouteSecrets } from '../../model/next-route-secrets.ts';
import type { Destination } from '../../model/route-destination.ts';
import { checkHeader } from '../../model/route-destination.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import { parseSigningSecret } from '../../model/signing-secret.ts';
import type { CliContext } from '../context.ts';
import { CliError, usageError } from '../exit-codes.ts';
import { newSigningSecret } from '../secrets.ts';
import { headersOf } from './draft.ts';
import { checked } from './mark-fault.ts';
import type { RouteOptions } from './route-options.ts';

/**
 * The secrets as they are to be.
 * @param before as they are; undefined: the route is new, or had another kind of destination
 * @throws CliError for a file that cannot be read, or what in it is no secret
 */
export async function draftSecrets(
  { kind }: Destination,
  options: RouteOptions,
  before: RouteSecrets | undefined,
  { readStdin }: Pick<CliContext, 'readStdin'>,
): Promise<NextSecrets> {
  const { signingSecret, unsigned } = options;
  if (unsigned === true && signingSecret !== undefined)
    throw usageError('give --signing-secret or --unsigned, not both.');
  const read = createReader(readStdin);
  const password = await optional(options.password, async (file) =>
    (await read(file, 'the password')).replace(/\r?\n$/, ''),
  );
  if (password === '') throw usageError('the password is empty: none takes it away.');
  const headers = await optional(options.secretHeaders, async (file) =>
    secretHeaders(await read(file, 'the headers')),
  );
  const brought = signingSecret === undefined ? undefined : (await newOrRead(signingSecret, read)).secret;
  const changes = { signingSecret: brought, unsigned, headers, password };
  return checked('', () => nextRouteSecrets(kind, changes, before, newSigningSecret));
}

/** @throws CliError for what is no signing secret */
export async function bringSigningSecret(
  file: string | undefined,
  { readStdin }: Pick<CliContext, 'readStdin'>,
): Promise<{ readonly secret: string; readonly generated: string | undefined }> {
  return newOrRead(file, createReader(readStdin));
}

async function newOrRead(file: string | undefined, read: Reader) {
  if (file === undefined) {
    const secret = newSigningSecret();
    return { secret, generated: secret };
  }
  const secret = (await read(file, 'the signing secret')).trim();
  try {
    parseSigningSecret(secret);
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error));
  }
  return { secret, generated: undefined };
}

function secretHeaders(text: string): Record<string, string> {
  const headers = headersOf(text.split(/\r?\n/).filter((line) => line.trim() !== '')) ?? {};
  for (const [name, value] of Object.entries(headers)) checked('', () => checkHeader(name, value));
  return headers;
}

/** Null for `none`: there is to be none any more. */
async function optional<T>(
  option: string | undefined,
  read: (file: string) => Promise<T>,
): Promise<T | null | undefined> {
  if (option === undefined) return undefined;
  return option === 'none' ? null : read(option);
}

type Reader = (file: string, what: string) => Promise<string>;

function createReader(readStdin: () => Promise<string>): Reader {
  let usedFor: string | undefined;
  return async (file, what) => {
    if (file !== '-') return readFile(file, what);
    if (usedFor !== undefined)
      throw usageError(`standard input holds ${usedFor} already: give ${what} as a file.`);
    usedFor = what;
    return readStdin();
  };
}

function readFile(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(
      `${what} cannot be read from ${file} (${why}): name a file, or - for standard input. ` +
        'The secret itself is never an argument: the list of processes would show it.',
      undefined,
      { cause: error },
    );
  }
}

import { readFileSync } from 'node:fs';
import { parseSigningSecret } from '../../delivery/webhook/sign.ts';
import type { Destination } from '../../model/route-destination.ts';
import { checkHeader } from '../../model/route-destination.ts';
import type { RouteSecrets } from '../../model/route-secrets.ts';
import type { CliContext } from '../context.ts';
import { CliError, usageError } from '../exit-codes.ts';
import { newSigningSecret } from '../secrets.ts';
import { headersOf } from './draft.ts';
import { checked } from './mark-fault.ts';
import type { RouteOptions } from './route-options.ts';

export interface DraftSecrets {
  readonly secrets: RouteSecrets;
  /** Made here: to be shown, once. */
  readonly generated: string | undefined;
}

/**
 * The secrets as they are to be.
 * @param before as they are; undefined: the route is new, or had another kind of destination
 * @throws CliError for a file that cannot be read, or what in it is no secret
 */
export async function draftSecrets(
  destination: Destination,
  options: RouteOptions,
  before: RouteSecrets | undefined,
  { readStdin }: Pick<CliContext, 'readStdin'>,
): Promise<DraftSecrets> {
  const read = createReader(readStdin);
  if (destination.kind === 'mqtt') {
    const password = await optional(options.password, before?.password, async (file) =>
      (await read(file, 'the password')).replace(/\r?\n$/, ''),
    );
    if (password === '') throw usageError('the password is empty: none takes it away.');
    return { secrets: password === undefined ? {} : { password }, generated: undefined };
  }
  if (destination.kind === 'nats') return { secrets: {}, generated: undefined };
  const headers = await optional(options.secretHeaders, before?.headers, async (file) =>
    secretHeaders(await read(file, 'the headers')),
  );
  const { signing, generated } = await signingSecrets(options, before, read);
  return {
    secrets: {
      ...(signing === undefined ? {} : { signing_secrets: signing }),
      ...(headers === undefined ? {} : { headers }),
    },
    generated,
  };
}

async function signingSecrets(
  { signingSecret, unsigned }: RouteOptions,
  before: RouteSecrets | undefined,
  read: Reader,
): Promise<{ signing: string[] | undefined; generated: string | undefined }> {
  if (unsigned === true) {
    if (signingSecret !== undefined) throw usageError('give --signing-secret or --unsigned, not both.');
    return { signing: undefined, generated: undefined };
  }
  if (signingSecret === undefined && before !== undefined)
    return { signing: before.signing_secrets, generated: undefined };
  const { secret, generated } = await newOrRead(signingSecret, read);
  return { signing: [secret], generated };
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

async function optional<T>(
  option: string | undefined,
  before: T | undefined,
  read: (file: string) => Promise<T>,
): Promise<T | undefined> {
  if (option === undefined) return before;
  return option === 'none' ? undefined : read(option);
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

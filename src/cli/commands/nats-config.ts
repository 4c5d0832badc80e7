import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseNatsUrl } from '../../stream/connection.ts';
import { type NatsUser, natsUsers, natsUsersConfig, permissionsOf } from '../../stream/permissions.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';

type Options = { readonly server: string; readonly force?: boolean };

const usersFile = 'nats-users.conf';
/** The passwords are random and long: a cost that slows nobody down is enough. */
const bcryptCost = 6;

export function addNatsConfigCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'nats-config',
    summary: 'make NATS users for the roles, each with the least permissions',
    details:
      `Writes ${usersFile}, for nats-server to include, and for each role ROLE.url with its address, user and password, ` +
      'for NATS_URL_FILE. Passwords are made anew each time and lie in clear only in the .url files. Roles then make no ' +
      'streams: run tributary topology with admin.url once.',
    examples: ['nats-config /etc/tributary/nats --server nats://nats-1:4222,nats://nats-2:4222'],
    settings: [],
  })
    .argument('<folder>', 'where the files go')
    .option('--server <urls>', 'address of NATS as the roles reach it', 'nats://127.0.0.1:4222')
    .option('--force', 'write over the files that are there: all passwords change')
    .action(async (folder: string, options: Options, self: Command) => {
      const { terminal, json } = invocationOf(context, self);
      const written = await writeFiles(resolve(folder), options);
      if (json) terminal.out(toJson({ users_file: written.usersFile, users: written.users }));
      else terminal.out(describe(written));
    });
}

interface Written {
  readonly usersFile: string;
  readonly users: readonly {
    readonly user: NatsUser;
    readonly url_file: string;
    readonly publish: readonly string[];
    readonly subscribe: readonly string[];
  }[];
}

async function writeFiles(folder: string, { server, force }: Options): Promise<Written> {
  const urlOf = addressFor(server);
  const files = [join(folder, usersFile), ...natsUsers.map((user) => urlFile(folder, user))];
  const there = files.find((file) => existsSync(file));
  if (there !== undefined && force !== true)
    throw new CliError(
      `${there} is there already: name another folder, or add --force, which changes all passwords.`,
      exitCodes.failure,
    );
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const passwords = natsUsers.map((user) => [user, randomBytes(32).toString('base64url')] as const);
  const hashes = await Promise.all(
    passwords.map(async ([user, password]) => [
      user,
      await Bun.password.hash(password, { algorithm: 'bcrypt', cost: bcryptCost }),
    ]),
  );
  write(join(folder, usersFile), natsUsersConfig(Object.fromEntries(hashes)));
  for (const [user, password] of passwords) write(urlFile(folder, user), `${urlOf(user, password)}\n`);
  return {
    usersFile: join(folder, usersFile),
    users: natsUsers.map((user) => ({ user, url_file: urlFile(folder, user), ...permissionsOf(user) })),
  };
}

/** Also one that is there: its mode would stay. */
function write(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
  chmodSync(file, 0o600);
}

const urlFile = (folder: string, user: NatsUser) => join(folder, `${user}.url`);

/** @throws usage error for addresses that are none, or that name a user already */
function addressFor(servers: string): (user: string, password: string) => string {
  try {
    if ('user' in parseNatsUrl(servers) || 'token' in parseNatsUrl(servers))
      throw new Error('it names a user: leave that to the command');
  } catch (error) {
    throw usageError(
      `--server ${JSON.stringify(servers)}: ${error instanceof Error ? error.message : error}`,
    );
  }
  const parts = servers.split(',').map((part) => part.trim());
  return (user, password) =>
    parts
      .map((part) => (part.includes('://') ? part : `nats://${part}`))
      .map((part) => part.replace('://', `://${user}:${password}@`))
      .join(',');
}

function describe({ usersFile, users }: Written): string {
  const width = Math.max(...users.map(({ user }) => user.length));
  return [
    `${usersFile}: add to nats-server's configuration, then restart it or send it SIGHUP:`,
    '',
    `  include ${JSON.stringify(usersFile)}`,
    '',
    'Each role reads its address from a file:',
    '',
    ...users.map(({ user, url_file }) => `  ${user.padEnd(width)}  NATS_URL_FILE=${url_file}`),
    '',
    'Make the streams once, as admin: NATS_URL_FILE=…/admin.url tributary topology',
  ].join('\n');
}

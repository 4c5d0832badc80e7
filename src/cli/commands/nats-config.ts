import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import { parseNatsUrl } from '../../stream/connection.ts';
import { type NatsUser, natsUsers, natsUsersConfig, permissionsOf } from '../../stream/permissions.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { usageError } from '../exit-codes.ts';
import { toJson } from '../output/json.ts';
import { checkSecretFolder, writeSecretFiles } from '../secret-folder.ts';

interface Options {
  readonly server: string;
  readonly force?: boolean;
}

const usersFile = 'nats-users.conf';
/** The passwords are random and long: a cost that slows nobody down is enough. */
const bcryptCost = 6;

export function addNatsConfigCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'nats-config',
    summary: 'make NATS users for the roles, each with the least permissions',
    details:
      `Writes ${usersFile}, for nats-server to include, and for each role ROLE.nats-url with its address, user and password, ` +
      'for NATS_URL_FILE. Passwords are made anew each time and lie in clear only in the .nats-url files. Roles then make no ' +
      'streams: run tributary topology with admin.nats-url once.',
    examples: ['nats-config ./nats --server nats://n1:4222,nats://n2:4222'],
    settings: [],
  })
    .argument('<folder>', 'where the files go')
    .option('--server <urls>', 'address of NATS as the roles reach it', 'nats://127.0.0.1:4222')
    .option('--force', 'write over the files that are there: all passwords change')
    .action(async (folder: string, options: Options, self: Command) => {
      const { terminal, json } = invocationOf(context, self);
      const written = await writeFiles(folder, options);
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
  const path = checkSecretFolder(folder, [usersFile, ...natsUsers.map(urlFile)], force === true);
  const passwords = natsUsers.map((user) => [user, randomBytes(32).toString('base64url')] as const);
  const hashes = await Promise.all(
    passwords.map(async ([user, password]) => [
      user,
      await Bun.password.hash(password, { algorithm: 'bcrypt', cost: bcryptCost }),
    ]),
  );
  writeSecretFiles(path, [
    { name: usersFile, text: natsUsersConfig(Object.fromEntries(hashes)) },
    ...passwords.map(([user, password]) => ({ name: urlFile(user), text: `${urlOf(user, password)}\n` })),
  ]);
  return {
    usersFile: join(path, usersFile),
    users: natsUsers.map((user) => ({ user, url_file: join(path, urlFile(user)), ...permissionsOf(user) })),
  };
}

const urlFile = (user: NatsUser) => `${user}.nats-url`;

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
    'Make the streams once, as admin: NATS_URL_FILE=…/admin.nats-url tributary topology',
  ].join('\n');
}

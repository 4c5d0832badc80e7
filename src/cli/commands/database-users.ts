import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Command } from 'commander';
import {
  type DatabaseUser,
  databaseUserNames,
  databaseUsers,
  loginOf,
  putDatabaseUsers,
} from '../../store/database-users.ts';
import { insertNote } from '../audited.ts';
import { withDatabase } from '../connect.ts';
import type { CliContext } from '../context.ts';
import { defineCommand, invocationOf } from '../define-command.ts';
import { locate } from '../locate.ts';
import { toJson } from '../output/json.ts';
import { checkSecretFolder, writeSecretFiles } from '../secret-folder.ts';

const urlFile = (user: DatabaseUser) => `${user}.database-url`;

export function addDatabaseUsersCommand(program: Command, context: CliContext): void {
  defineCommand(program, {
    usage: 'database-users',
    summary: 'make PostgreSQL logins for the roles, each with the least permissions',
    details:
      'Makes a login for each role in the database that DATABASE_URL names, whose user must be allowed to make roles, ' +
      'and writes ROLE.database-url for DATABASE_URL_FILE. Passwords are made anew each time and lie in clear only ' +
      'there. Migrate first: roles with these logins may not.',
    examples: ['database-users /etc/tributary/postgres'],
  })
    .argument('<folder>', 'where the files go')
    .option('--force', 'write over the files that are there: all passwords change')
    .action(async (folder: string, options: { readonly force?: boolean }, self: Command) => {
      const invocation = invocationOf(context, self);
      const path = checkSecretFolder(folder, databaseUserNames.map(urlFile), options.force === true);
      const passwords = newPasswords();
      const { url } = locate('database', invocation.config);
      const note = {
        action: 'database_users.put',
        target: 'database users',
        detail: { logins: databaseUserNames.map(loginOf) },
      };
      await withDatabase(invocation, (pool) =>
        putDatabaseUsers(pool, passwords, randomBytes, (client) => insertNote(client, invocation, note)),
      );
      writeSecretFiles(
        path,
        databaseUserNames.map((user) => ({
          name: urlFile(user),
          text: `${urlFor(url, user, passwords[user])}\n`,
        })),
      );
      const users = databaseUserNames.map((user) => ({
        role: user,
        login: loginOf(user),
        member_of: databaseUsers[user],
        url_file: join(path, urlFile(user)),
      }));
      invocation.terminal.out(invocation.json ? toJson({ users }) : describe(users));
    });
}

function newPasswords(): Record<DatabaseUser, string> {
  const password = () => randomBytes(32).toString('base64url');
  return {
    gateway: password(),
    mqtt: password(),
    'mqtt-bridge': password(),
    worker: password(),
    delivery: password(),
    console: password(),
  };
}

function urlFor(url: string, user: DatabaseUser, password: string): string {
  const address = new URL(url);
  address.username = loginOf(user);
  address.password = password;
  return address.href;
}

function describe(users: readonly { readonly role: string; readonly url_file: string }[]): string {
  const width = Math.max(...users.map(({ role }) => role.length));
  return [
    'Each role reads its address from a file:',
    '',
    ...users.map(({ role, url_file }) => `  ${role.padEnd(width)}  DATABASE_URL_FILE=${url_file}`),
    '',
    'Migrate as the owner, before roles of a new version start: tributary migrate',
  ].join('\n');
}

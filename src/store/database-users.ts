import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from './transaction.ts';

/** A login for each kind of process, and the roles that say what it may do. */
export const databaseUsers = {
  gateway: ['tributary_door'],
  mqtt: ['tributary_door'],
  'mqtt-bridge': ['tributary_door'],
  worker: ['tributary_writer'],
  delivery: ['tributary_delivery'],
  console: ['tributary_writer', 'tributary_reader'],
} as const satisfies Readonly<Record<string, readonly string[]>>;
export type DatabaseUser = keyof typeof databaseUsers;

export const databaseUserNames = Object.keys(databaseUsers) as DatabaseUser[];

/** Logins belong to the cluster, not to the database. */
export const loginOf = (user: DatabaseUser) => `tributary_${user.replaceAll('-', '_')}_login`;

/**
 * Makes the logins, or gives those that are there new passwords, and grants them their roles and nothing else.
 * The pool's user must be allowed to make roles. The server is told the passwords' verifiers only: its log shows none.
 *
 * @param also what belongs into the same transaction
 */
export async function putDatabaseUsers(
  pool: pg.Pool,
  passwords: Readonly<Record<DatabaseUser, string>>,
  randomBytes: (count: number) => Uint8Array,
  also?: (client: pg.PoolClient) => Promise<unknown>,
): Promise<void> {
  await inTransaction(pool, async (client) => {
    for (const user of databaseUserNames) {
      const login = loginOf(user);
      const found = await client.query('select from pg_roles where rolname = $1', [login]);
      const options = 'login nosuperuser nocreatedb nocreaterole noreplication nobypassrls inherit';
      const verifier = scramVerifier(passwords[user], randomBytes(16));
      await client.query(
        `${found.rowCount === 0 ? 'create' : 'alter'} role ${login} ${options} password '${verifier}'`,
      );
      await client.query(`grant ${databaseUsers[user].join(', ')} to ${login}`);
    }
    await also?.(client);
  });
}

const scramIterations = 4_096;

/** RFC 5802 and 7677, as PostgreSQL keeps it. The password is ASCII: nothing is to be normalised. */
function scramVerifier(password: string, salt: Uint8Array): string {
  const salted = pbkdf2Sync(password, salt, scramIterations, 32, 'sha256');
  const keyed = (text: string) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const serverKey = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${scramIterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${serverKey}`;
}

import type pg from 'pg';
import type { TenantId } from '../model/identifiers.ts';
import { inTransaction } from './transaction.ts';

/**
 * Runs `work` as a reader of one tenant, in one read-only transaction: row-level security shows it that tenant's rows
 * and no others, whatever it asks. The pool's user must be a member of `tributary_reader` (a superuser, or the one
 * that migrated, is). With `snapshot` all its statements see the database at one moment.
 */
export function withTenant<T>(
  pool: pg.Pool,
  tenantId: TenantId,
  work: (client: pg.PoolClient) => Promise<T>,
  { snapshot = false }: { readonly snapshot?: boolean } = {},
): Promise<T> {
  const begin = snapshot ? 'begin isolation level repeatable read' : 'begin';
  const asReader = async (client: pg.PoolClient): Promise<T> => {
    // All of it ends with the transaction: the connection goes back to the pool as it was.
    await client.query('set transaction read only');
    await client.query(`select set_config('tributary.tenant_id', $1, true)`, [tenantId]);
    await client.query('set local role tributary_reader');
    return work(client);
  };
  return inTransaction(pool, asReader, begin);
}

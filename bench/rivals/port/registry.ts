import type pg from 'pg';

export interface PortDevice {
  readonly siteId: string;
  /** Hex. */
  readonly tokenSha256: string;
}

/** The whole registry in memory; the rival is spared keeping it fresh. */
export async function loadRegistry(pool: pg.Pool): Promise<ReadonlyMap<string, PortDevice>> {
  const { rows } = await pool.query<{ key: string; site_id: string; token: string }>(
    `select tenant_id || '/' || device_id as key, site_id, encode(token_sha256, 'hex') as token from devices`,
  );
  return new Map(rows.map(({ key, site_id, token }) => [key, { siteId: site_id, tokenSha256: token }]));
}

import type pg from 'pg';

/** Inserts a sensor the first time that its metric is seen; afterwards it is known and costs a look-up. */
export class SensorDiscovery {
  readonly #pool: pg.Pool;
  readonly #known = new Set<string>();

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  async see(tenantId: string, deviceId: string, metrics: readonly string[]): Promise<void> {
    const unseen = metrics.filter((metric) => !this.#known.has(`${tenantId}/${deviceId}/${metric}`));
    if (unseen.length === 0) return;
    for (const metric of unseen) this.#known.add(`${tenantId}/${deviceId}/${metric}`);
    await this.#pool.query({
      name: 'discover',
      text: `insert into port_sensors (tenant_id, device_id, metric) select $1, $2, unnest($3::text[])
             on conflict do nothing`,
      values: [tenantId, deviceId, unseen],
    });
  }

  /** What the database knows already. */
  async load(): Promise<void> {
    const { rows } = await this.#pool.query<{ key: string }>(
      `select tenant_id || '/' || device_id || '/' || metric as key from port_sensors`,
    );
    for (const { key } of rows) this.#known.add(key);
  }
}

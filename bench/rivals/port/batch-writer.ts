import type pg from 'pg';

const batchSize = 500;
/** A batch that does not fill up is written after this time. */
const lingerMs = 50;
/** Inserts under way at once, so that the database does not wait for us. */
const maxInserts = 2;
const columns = 6;

export interface Entry {
  readonly row: readonly unknown[];
  /** Called once the row is committed. */
  readonly stored: () => void;
}

/** Collects rows and writes them with multi-row INSERTs. */
export class BatchWriter {
  readonly #pool: pg.Pool;
  readonly #inserts = new Set<Promise<void>>();
  #entries: Entry[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(pool: pg.Pool) {
    this.#pool = pool;
  }

  /** Resolves when there is room again. */
  async add(entry: Entry): Promise<void> {
    this.#entries.push(entry);
    if (this.#entries.length >= batchSize) {
      this.#flush();
      while (this.#inserts.size >= maxInserts) await Promise.race(this.#inserts);
    } else this.#timer ??= setTimeout(() => this.#flush(), lingerMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const entries = this.#entries;
    if (entries.length === 0) return;
    this.#entries = [];
    const insert = this.#insert(entries).finally(() => this.#inserts.delete(insert));
    this.#inserts.add(insert);
  }

  async #insert(entries: readonly Entry[]): Promise<void> {
    const places = entries.map((_, row) => {
      const first = row * columns + 1;
      return `(${Array.from({ length: columns }, (_, column) => `$${first + column}`).join(',')})`;
    });
    await this.#pool.query({
      // Named: the server plans a full batch once.
      name: `insert-${entries.length}`,
      text: `insert into port_telemetry (time, tenant_id, device_id, site_id, msg_type, metrics) values ${places.join(',')}`,
      values: entries.flatMap(({ row }) => row),
    });
    for (const { stored } of entries) stored();
  }
}

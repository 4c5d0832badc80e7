import type pg from 'pg';
import { toSafeNumber } from '../types.ts';
import {
  advanceSnapshot,
  createRegistrySnapshot,
  type RegistrySnapshot,
  type SnapshotOptions,
} from './registry-snapshot.ts';

export interface RegistryLoader {
  /** What is loaded; replaced, not changed, when all was loaded anew. */
  readonly snapshot: RegistrySnapshot;
  /** By the loader's clock, when the last successful look at the version began. */
  readonly checkedAtMs: number;
  /** Looks at the registry's version and loads what changed. One call at a time. */
  load(client: pg.Client): Promise<void>;
}

export function createRegistryLoader(options: SnapshotOptions, clock: () => number): RegistryLoader {
  let snapshot = createRegistrySnapshot();
  let checkedAtMs = Number.NEGATIVE_INFINITY;
  const goOn = async (client: pg.Client, target: number): Promise<boolean> =>
    snapshot.version >= 0 &&
    target > snapshot.version &&
    (await advanceSnapshot(client, snapshot, target, options));
  return {
    get snapshot() {
      return snapshot;
    },
    get checkedAtMs() {
      return checkedAtMs;
    },
    load: async (client) => {
      const startedAtMs = clock();
      const target = await selectVersion(client);
      if (target !== snapshot.version && !(await goOn(client, target))) {
        // The first load, or a database that went back in time because it was restored, or a long absence. Out of
        // sight until whole.
        const whole = createRegistrySnapshot();
        await advanceSnapshot(client, whole, target, options);
        snapshot = whole;
      }
      checkedAtMs = startedAtMs;
    },
  };
}

async function selectVersion(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ version: bigint }>({
    name: 'registry-version',
    text: 'select version from registry_version',
  });
  const row = rows[0];
  if (row === undefined)
    throw new Error('registry_version has no row: restore it, or migrate a new database');
  return toSafeNumber(row.version);
}

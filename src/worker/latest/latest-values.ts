import type { Accepted } from '../../model/verdict.ts';
import type { Queryable } from '../../store/statements/queryable.ts';
import { lockSensors, upsertSensors } from '../../store/statements/upsert-sensors.ts';
import { NewestValues } from './newest-values.ts';

export interface StoredReading extends Accepted {
  /** 32 hex digits. */
  readonly identity: string;
}

/** Where the latest values of stored readings go, and the sensors that they discover. */
export interface LatestValues {
  /** In the transaction that stores the readings. @returns what its COMMIT sets off */
  record(db: Queryable, stored: readonly StoredReading[]): Promise<(() => void) | undefined>;
}

/**
 * Writes them in the same transaction: for what is stored now and then.
 * @param maxSensors of a device that has no number of its own
 */
export function latestAtOnce(maxSensors: number): LatestValues {
  return {
    async record(db, stored) {
      const newest = new NewestValues();
      for (const accepted of stored) newest.add(accepted, maxSensors);
      if (newest.size === 0) return undefined;
      await lockSensors(db);
      await upsertSensors(db, newest.values(), { registered: true });
      return undefined;
    },
  };
}

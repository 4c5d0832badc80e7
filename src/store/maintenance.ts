import { type Alone, startAlone } from './alone.ts';
import { type MaintenanceOptions, maintenanceDefaults } from './maintenance/maintenance-contract.ts';
import { maintenanceTasks } from './maintenance/maintenance-tasks.ts';
import { createSchedule } from './maintenance/schedule.ts';

/** Any constant does, as long as every process takes the same. */
const maintenanceLock = 7_710_240_002;

/** Does what has to be done from time to time, in one process of all that start it. */
export function startMaintenance(options: MaintenanceOptions): Alone {
  const intervals = { ...maintenanceDefaults.intervals, ...options.intervals };
  const { pool, log, clock } = options;
  return startAlone({
    pool,
    lock: maintenanceLock,
    standbyMs: intervals.standbyMs,
    serve: async (client, turn) => {
      log.info({ event: 'maintenance_active' }, 'this process does the maintenance of the database');
      const schedule = createSchedule(
        [...maintenanceTasks(client, options, intervals), ...(options.tasks?.(client) ?? [])],
        {
          clock,
          afterFailureMs: intervals.retryMs,
          onFailure: async (task, error) => {
            log.warn(
              { event: 'maintenance_failed', err: error, task },
              'maintenance failed: trying again later',
            );
            // A lost connection has lost the lock: this throws and ends the service.
            await client.query('select 1');
          },
        },
      );
      while (!turn.stopped) await turn.wait(await schedule.runDue());
    },
    onInterrupted: (error) =>
      log.warn(
        { event: 'maintenance_interrupted', err: error },
        'maintenance lost the database: trying again',
      ),
  });
}

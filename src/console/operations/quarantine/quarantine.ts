import type { KeyedOperation } from '../../operation.ts';
import { mendOperation, purgeOperation, replayOperation } from './change.ts';
import { getOperation, listOfDevice, listOperation } from './look.ts';
import { progressOperation } from './progress.ts';
import { everyScope, type Scope, tenantScope } from './scope.ts';
import { statsOperation } from './stats.ts';

/** `stats` stands before `{quarantine_id}`, which would take its path. */
function operationsOf(scope: Scope): KeyedOperation[] {
  const made = [
    listOperation,
    statsOperation,
    getOperation,
    mendOperation,
    replayOperation,
    progressOperation,
    purgeOperation,
  ];
  return made.map((make) => make(scope));
}

export const quarantineOperations: readonly KeyedOperation[] = [
  ...operationsOf(tenantScope),
  listOfDevice,
  ...operationsOf(everyScope),
];

import type { Operation } from '../operation.ts';
import { deadLetterOperations } from './dead-letters.ts';
import { deviceOperations } from './devices.ts';
import { quarantineOperations } from './quarantine/quarantine.ts';
import { sessionOperations } from './session.ts';
import { tenantOperations } from './tenants.ts';

/** All of the API, in the order of the document. */
export const operations: readonly Operation[] = [
  ...sessionOperations,
  ...tenantOperations,
  ...deviceOperations,
  ...quarantineOperations,
  ...deadLetterOperations,
];

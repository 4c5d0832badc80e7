import type { Operation } from '../operation.ts';
import { auditLogOperations } from './audit-log.ts';
import { deadLetterOperations } from './dead-letters.ts';
import { deviceChangeOperations } from './device-changes.ts';
import { deviceImport } from './device-import.ts';
import { devicePartOperations } from './device-parts.ts';
import { deviceOperations } from './devices.ts';
import { doorOperations } from './doors.ts';
import { installationOperations } from './installation.ts';
import { keyOperations } from './keys.ts';
import { quarantineOperations } from './quarantine/quarantine.ts';
import { routeOperations } from './routes/routes.ts';
import { sessionOperations } from './session.ts';
import { liveOperations } from './telemetry/live.ts';
import { seriesOperations } from './telemetry/series.ts';
import { telemetryOperations } from './telemetry/telemetry.ts';
import { tenantOperations } from './tenants.ts';

/** All of the API, in the order of the document. */
export const operations: readonly Operation[] = [
  ...sessionOperations,
  ...tenantOperations,
  ...deviceOperations,
  deviceImport,
  ...deviceChangeOperations,
  ...devicePartOperations,
  ...telemetryOperations,
  ...seriesOperations,
  ...liveOperations,
  ...quarantineOperations,
  ...routeOperations,
  ...deadLetterOperations,
  ...keyOperations,
  ...auditLogOperations,
  ...doorOperations,
  ...installationOperations,
];
